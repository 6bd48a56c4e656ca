using Distributed.Bench.Baselines;
using Distributed.Testing;

namespace Distributed.Bench.Tests.Baselines;

/// <summary>Which Python is compared with. Scripts stand for it: none of this needs PyTorch.</summary>
public sealed class PyTorchTests
{
    private static readonly ExternalProgram External = new(CancellationToken.None);

    [Fact]
    public async Task Find_NamedOne_IsAskedWithTheBaselinesScriptAndTellsItsVersions()
    {
        using TemporaryDirectory directory = new();
        var python = directory.Script(
            "python", """[ "${1##*/}" = baseline.py ] && echo '{"torch": "2.6.0", "blas": "OpenBLAS 0.3.29", "oneDnn": "3.7.2"}'""");
        var torch = await PyTorch.Find(External, python);
        Assert.Equal($"PyTorch 2.6.0 ({python}), BLAS: OpenBLAS 0.3.29, oneDNN 3.7.2", torch.Description);
    }

    [Fact]
    public async Task TrainDdp_Tuned_SaysSoToTheScriptAndReadsItsSteps()
    {
        using TemporaryDirectory directory = new();
        var python = directory.Script(
            "python", """
            case ${1##*/} in
              baseline.py) echo '{"torch": "2.6.0", "blas": "OpenBLAS 0.3.29"}' ;;
              *) echo "{\"model\": \"$4\", \"precision\": \"float32\", \"samples\": 128, \"seconds\": [0.5, 0.25], \"tuned\": [\"$2 $3 $5\"]}" ;;
            esac
            """);
        var torch = await PyTorch.Find(External, python);
        var tuned = Assert.Single(await torch.TrainDdp(2, 45, "mlp", tuned: true));
        Assert.Equal(("mlp", "float32", 128), (tuned.Model, tuned.Precision, tuned.Samples));
        Assert.Equal([0.5, 0.25], tuned.Seconds);
        Assert.Equal(["2 45 --tuned"], tuned.Tuned);
        Assert.Equal(["2 45 "], Assert.Single(await torch.TrainDdp(2, 45, "mlp", tuned: false)).Tuned);
    }

    [Theory]
    [InlineData("/nowhere/python", "DTRAIN_PYTHON is '/nowhere/python', which does not exist. Expected a Python that can import")]
    [InlineData("no-such-python", "DTRAIN_PYTHON is 'no-such-python', which is not on the PATH.")]
    public async Task Find_NamedOneIsMissing_SaysWhatIsExpectedAndTheRemedy(string named, string expected)
    {
        var refused = await Assert.ThrowsAsync<FormatException>(() => PyTorch.Find(External, named));
        Assert.Contains(expected, refused.Message, StringComparison.Ordinal);
        Assert.Contains("bench/baselines/debian13.sh installs one", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Find_NamedOneHasNoTorch_SaysWhatPythonSaid()
    {
        using TemporaryDirectory directory = new();
        var python = directory.Script("python", "echo Traceback >&2; echo \"ModuleNotFoundError: No module named 'torch'\" >&2; exit 1");
        var refused = await Assert.ThrowsAsync<FormatException>(() => PyTorch.Find(External, python));
        Assert.StartsWith(
            $"DTRAIN_PYTHON is '{python}', which does not do: "
            + "python ended with code 1: ModuleNotFoundError: No module named 'torch'. Expected",
            refused.Message, StringComparison.Ordinal);
    }
}
