using Distributed.EndToEnd.Tests.Cli;
using Distributed.Testing;

namespace Distributed.EndToEnd.Tests.Train;

/// <summary>Jobs that could never run as asked: one clear message, exit code 2, nothing left behind.</summary>
public sealed class BadJobTests : IDisposable
{
    private static readonly Dictionary<string, BadJob> Cases = new()
    {
        ["broken YAML"] = new(Jobs.Mixed.Replace("{ name: shapes, samples: 200 }", "{ name: shapes", Same), ["job.yaml:", "broken YAML"]),
        ["tab in the indentation"] = new(Jobs.Mixed + "\nworkers:\n\tmin: 1\n", ["job.yaml:17:1: broken YAML: found a tab"]),
        ["unknown key"] = new(Jobs.Mixed + "\nfrob: 1\n", ["job.yaml:16:1: frob: unknown key; expected one of "]),
        ["unknown inner key"] = new(
            Jobs.Mixed.Replace("lr: 0.002", "lrr: 0.002", Same), ["job.yaml:10:27: optimizer.lrr: unknown key; did you mean lr?"]),
        ["wrong type"] = new(
            Jobs.Mixed.Replace("clipNorm: 0.5", "clipNorm: much", Same),
            ["job.yaml:12:11: clipNorm: found the text 'much', expected a finite number"]),
        ["micro-batch that does not divide"] = new(
            Jobs.Mixed.Replace("microBatch: 4", "microBatch: 7", Same),
            ["microBatch: found 7, which does not divide globalBatch 48, expected 6 or 8"]),
        ["two errors"] = new(
            Jobs.Mixed.Replace("microBatch: 4", "microBatch: 7", Same).Replace("seed: 7", "seed: x", Same),
            ["job.yaml:6:13:", "job.yaml:8:7:"]),
        ["float16 LSTM on the CPU"] = new(
            Lstm, ["precision: found mixed_float16 with sentiment-lstm on cpu", "expected mixed_bfloat16 or float32"]),
        ["more ranks than micro-batches"] = new(
            Jobs.Mixed, ["--ranks 13 is more than the 12 micro-batches", "at most 12"], "--ranks", "13"),
        ["bad override"] = new(Jobs.Mixed, ["--set optimizer.lr=fast: optimizer.lr: found the text 'fast'"], "--set", "optimizer.lr=fast"),
        ["missing data path"] = new(Jobs.Cifar10.Replace("DATA", "nowhere", Same), ["data.path: '", "/nowhere' does not exist"]),
        ["missing weights"] = new(
            Jobs.Mixed, ["model.weights: '", "/none.safetensors' does not exist"], "--set", "model.weights=none.safetensors"),
        ["resume of nothing"] = new(Jobs.Mixed, ["--resume finds no earlier run"], "--resume"),
        ["unknown option"] = new(Jobs.Mixed, ["--frob"], "--frob"),
    };

    private const StringComparison Same = StringComparison.Ordinal;

    private const string Lstm = """
        name: sentiment
        model: { name: sentiment-lstm, vocab: 100, embedding: 8, hidden: 8 }
        data: { name: imdb, path: job.yaml }
        precision: mixed_float16
        globalBatch: 8
        microBatch: 2
        steps: 2
        """;

    private readonly TemporaryDirectory directory = new();

    public static TheoryData<string> Names => [.. Cases.Keys];

    public void Dispose() => directory.Dispose();

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Train_BadJob_Exits2AndSaysWhereAndWhat(string name)
    {
        var (text, messages, options) = Cases[name];
        var job = directory.Write("job.yaml", text);
        var run = (await DtrainProcess.RunAsync(["train", job, "--json", "--out", directory.File("run"), .. options])).Exits(2)
            .Says(messages);
        Assert.Equal("", run.Output);
        Assert.False(Directory.Exists(directory.File("run")), "A refused run leaves no directory.");
        Assert.DoesNotContain("   at ", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Train_NoSuchFile_Exits2AndNamesIt() =>
        (await DtrainProcess.RunAsync("train", directory.File("none.yaml"))).Exits(2).Says("none.yaml: no such file");

    private sealed record BadJob(string Text, string[] Messages, params string[] Options);
}
