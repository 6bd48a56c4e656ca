using System.Text.Json;
using Distributed.Testing;

namespace Distributed.Client.Tests.Commands;

public sealed class PlanCommandTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    private Task<(int Code, string Output, string Error)> PlanAsync(params string[] options) => Dtrain.RunAsync(
    [
        "plan",
        directory.Write("job.yaml", """
            name: trial
            model: { name: mlp, sizes: [3072, 16, 10] }
            data: { name: shapes, samples: 1000 }
            optimizer: { name: adamw }
            globalBatch: 64
            microBatch: 8
            steps: 5
            """),
        .. options,
    ]);

    [Fact]
    public async Task Plan_Job_SaysItsParts()
    {
        const double parameters = (3073 * 16) + (17 * 10);
        var (code, output, _) = await PlanAsync("--ranks", "4", "--silos", "2", "--json", "--memory", "1GiB");
        Assert.Equal(0, code);
        var plan = JsonDocument.Parse(output).RootElement;
        var memory = plan.GetProperty("memory");
        // Of a silo with two of the ranks.
        Assert.Equal((4, 2, 8, parameters * 12), (plan.GetProperty("ranks").GetInt32(), plan.GetProperty("silos").GetInt32(),
            plan.GetProperty("microBatches").GetInt32(), memory.GetProperty("weights").GetDouble()));
        Assert.Equal(2.0 * 2 * 8 * 3072 * 4, memory.GetProperty("batches").GetDouble());
        Assert.Equal(JsonValueKind.Null, plan.GetProperty("measured").ValueKind);

        (code, output, _) = await PlanAsync("--ranks", "2", "--memory", "1GiB");
        Assert.Equal(0, code);
        foreach (var words in (string[])["mlp, 49,338 parameters, float32, adamw", "2, on 1 silo", "64 samples in 8 micro-batches of 8",
            "of the 1 GiB that are available"])
            Assert.Contains(words, output, StringComparison.Ordinal);
        Assert.Empty(Directory.GetDirectories(directory.Path));
    }

    [Fact]
    public async Task Plan_TooLarge_EndsWithOneAndIsNotRun()
    {
        var (code, output, error) = await PlanAsync("--memory", "1MiB", "--measure");
        Assert.Equal(1, code);
        Assert.Contains("It does not fit: lower microBatch", output, StringComparison.Ordinal);
        Assert.Contains("Not measured", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--memory", "much")]
    [InlineData("--ranks", "9")]
    [InlineData("--set", "microBatch=7")]
    public async Task Plan_Misuse_EndsWithTwo(params string[] options) => Assert.Equal(2, (await PlanAsync(options)).Code);
}
