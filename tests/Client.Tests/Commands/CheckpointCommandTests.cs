using System.Text.Json;
using Distributed.Core.Checkpoints;
using Distributed.Core.Stepping;
using Distributed.Testing;

namespace Distributed.Client.Tests.Commands;

public sealed class CheckpointCommandTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    private string Save(string root, long step, byte weight)
    {
        using var writer = new CheckpointStore(directory.File(root)).Begin(step);
        writer.WriteTensors(
            CheckpointFiles.Model, [new("fc.weight", TensorDtype.U8, new([2]))], null, (_, stream) => stream.Write([1, weight]));
        writer.WriteFile(CheckpointFiles.State, stream => TrainingStateFile.Write(stream, new()
        {
            State = new TrainerState(step, step - 1, new(1024, 3, 1, -1, 0)),
            Seed = 42,
            ParameterSteps = new Dictionary<string, long> { ["fc.weight"] = step - 1 },
            SpecJson = "{\"name\":\"trial\"}",
            Fingerprint = "cpu",
        }));
        return writer.Commit().Path;
    }

    private static void FlipLastByte(string path)
    {
        var bytes = File.ReadAllBytes(path);
        bytes[^1] ^= 1;
        File.WriteAllBytes(path, bytes);
    }

    [Fact]
    public async Task Verify_WholeThenOneFlippedByte_Exits0Then1AndNamesTheFile()
    {
        var path = Save("a", 10, 7);
        Assert.Equal(0, (await Dtrain.RunAsync("checkpoint", "verify", directory.File("a"))).Code);
        FlipLastByte(Path.Combine(path, CheckpointFiles.Model));
        var (code, output, _) = await Dtrain.RunAsync("checkpoint", "verify", directory.File("a"));
        Assert.Equal(1, code);
        Assert.Matches(@"model\.safetensors +DAMAGED", output);
        var (_, json, _) = await Dtrain.RunAsync("checkpoint", "verify", path, "--json");
        Assert.False(JsonDocument.Parse(json).RootElement.GetProperty("ok").GetBoolean());
    }

    [Fact]
    public async Task Verify_NoManifest_IsDamage()
    {
        var path = Save("a", 10, 7);
        File.Delete(Path.Combine(path, CheckpointFiles.Manifest));
        Assert.Equal(1, (await Dtrain.RunAsync("checkpoint", "verify", path)).Code);
        Assert.Equal(1, (await Dtrain.RunAsync("checkpoint", "verify", directory.File("a"))).Code);
        Assert.Equal(1, (await Dtrain.RunAsync("checkpoint", "show", directory.File("a"))).Code);
    }

    [Theory]
    [InlineData("verify")]
    [InlineData("show")]
    public async Task MissingPath_Exits2(string verb)
    {
        var (code, _, error) = await Dtrain.RunAsync("checkpoint", verb, directory.File("nowhere"));
        Assert.Equal(2, code);
        Assert.Contains("does not exist", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Show_Root_TakesTheOneToResumeFrom()
    {
        Save("a", 10, 7);
        Save("a", 20, 8);
        var (code, output, _) = await Dtrain.RunAsync("checkpoint", "show", directory.File("a"), "--json");
        var shown = JsonDocument.Parse(output).RootElement;
        Assert.Equal((0, 20, 19, 1024.0), (code, shown.GetProperty("step").GetInt32(), shown.GetProperty("updates").GetInt32(),
            shown.GetProperty("lossScale").GetDouble()));
        Assert.Contains("fc.weight", (await Dtrain.RunAsync("checkpoint", "show", directory.File("a"))).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Show_NewestDamaged_WarnsAndTakesTheOneBefore()
    {
        Save("a", 10, 7);
        FlipLastByte(Path.Combine(Save("a", 20, 8), CheckpointFiles.State));
        var (code, output, error) = await Dtrain.RunAsync("checkpoint", "show", directory.File("a"), "--json");
        Assert.Equal((0, 10), (code, JsonDocument.Parse(output).RootElement.GetProperty("step").GetInt32()));
        Assert.Contains("warning: ", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Diff_EqualThenOther_Exits0Then1AndNamesTheTensor()
    {
        var (a, b, c) = (Save("a", 10, 7), Save("b", 10, 7), Save("c", 10, 9));
        Assert.Equal(0, (await Dtrain.RunAsync("checkpoint", "diff", a, b)).Code);
        var (code, output, _) = await Dtrain.RunAsync("checkpoint", "diff", a, c);
        Assert.Equal(1, code);
        Assert.Matches(@"fc\.weight +1 elements differ, first at 1, by at most 2", output);
        Assert.Equal(2, (await Dtrain.RunAsync("checkpoint", "diff", a)).Code);
    }
}
