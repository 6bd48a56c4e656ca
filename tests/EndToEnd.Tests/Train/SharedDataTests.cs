using Distributed.EndToEnd.Tests.Cli;
using Distributed.Testing;

namespace Distributed.EndToEnd.Tests.Train;

/// <summary>Real data in its original formats through the command line.</summary>
public sealed class SharedDataTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    private async Task TrainsAsync(string model, string data, string path)
    {
        var job = directory.Write("job.yaml", $$"""
            name: {{data}}
            model: {{model}}
            data: { name: {{data}}, path: {{Path.Combine(Checkout.SharedData!, path)}} }
            precision: mixed_bfloat16
            globalBatch: 32
            microBatch: 8
            steps: 2
            """);
        var run = (await DtrainProcess.RunAsync("train", job, "--json", "--out", directory.File("run"))).Exits(0);
        var metrics = run.Events.Last(e => e.GetProperty("event").GetString() == "eval").GetProperty("metrics");
        Assert.True(double.IsFinite(metrics.GetProperty("loss").GetDouble()));
        Assert.InRange(metrics.GetProperty("accuracy").GetDouble(), 0, 1);
        Assert.Equal(2, run.Events[^1].GetProperty("steps").GetInt32());
    }

    [SharedDataFact]
    public Task Cifar10_Folder_Trains() => TrainsAsync("{ name: simple-cnn }", "cifar10", "cifar-10-batches-bin");

    [SharedDataFact]
    public Task Mnist_Folder_Trains() => TrainsAsync("{ name: mlp, sizes: [784, 32, 10] }", "mnist", "mnist");

    [SharedDataFact]
    public Task Imdb_Archive_Trains() =>
        TrainsAsync("{ name: sentiment-lstm, vocab: 1000, embedding: 8, hidden: 8 }", "imdb", "aclImdb.tar.gz");

    [SharedDataFact]
    public Task Text_File_Trains() =>
        TrainsAsync(
            "{ name: transformer, width: 16, layers: 1, heads: 2, vocab: 128, sequence: 32 }", "text",
            Path.Combine("tinyshakespeare", "input.txt"));
}
