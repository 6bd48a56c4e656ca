using Distributed.Testing;

namespace Distributed.Client.Tests.Commands;

/// <summary>What 'train' refuses before it starts a silo or writes a file.</summary>
public sealed class TrainCommandTests : IDisposable
{
    private const string Job = """
        name: trial
        model: { name: simple-cnn }
        data: { name: shapes }
        globalBatch: 64
        microBatch: 8
        steps: 5
        """;

    private readonly TemporaryDirectory directory = new();

    public void Dispose()
    {
        Assert.False(Directory.Exists(directory.File("run")), "A refused run leaves no directory.");
        directory.Dispose();
    }

    private async Task<string> RefusalAsync(string job, params string[] options)
    {
        var (code, output, error) = await Dtrain.RunAsync(
            ["train", directory.Write("job.yaml", job), "--out", directory.File("run"), .. options]);
        Assert.Equal(2, code);
        Assert.Empty(output);
        return error;
    }

    [Fact]
    public async Task JobFile_AllErrorsAtOnceWithTheirPlaces()
    {
        var error = await RefusalAsync(Job.Replace("microBatch: 8", "microBatch: 7", StringComparison.Ordinal) + "\nfrob: 1\n");
        Assert.Contains($"{directory.File("job.yaml")}:5:", error, StringComparison.Ordinal);
        Assert.Contains($"{directory.File("job.yaml")}:7:1: frob", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task JobFile_Missing_IsNamed()
    {
        var (code, _, error) = await Dtrain.RunAsync("train", directory.File("none.yaml"));
        Assert.Equal(2, code);
        Assert.Contains("none.yaml: no such file", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Set_BadAssignment_IsNamed() =>
        Assert.Contains(
            "--set optimizer.lr=fast: optimizer.lr", await RefusalAsync(Job, "--set", "optimizer.lr=fast"), StringComparison.Ordinal);

    [Fact]
    public async Task DataPath_Missing_IsNamedWithItsFullPath()
    {
        var error = await RefusalAsync(Job.Replace("name: shapes", "name: cifar10, path: nowhere", StringComparison.Ordinal));
        Assert.Contains($"data.path: '{directory.File("nowhere")}' does not exist", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ranks_AboveTheMicroBatches_AreRefused() =>
        Assert.Contains("--ranks 9 is more than the 8 micro-batches", await RefusalAsync(Job, "--ranks", "9"), StringComparison.Ordinal);

    [Fact]
    public async Task CheckpointPath_NotEmpty_NeedsResume()
    {
        var path = Directory.CreateDirectory(directory.File("store")).FullName;
        directory.Write("store/latest", "");
        Assert.Contains($"'{path}' is not empty", await RefusalAsync(Job, "--set", $"checkpoint.path={path}"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Resume_NoEarlierRun_IsRefused() =>
        Assert.Contains("does not exist", await RefusalAsync(Job, "--resume"), StringComparison.Ordinal);
}
