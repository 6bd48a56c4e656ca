using System.Globalization;
using System.Text.Json;
using Distributed.EndToEnd.Tests.Cli;
using Distributed.Testing;

namespace Distributed.EndToEnd.Tests.Tools;

/// <summary>The verbs beside <c>train</c>.</summary>
public sealed class ToolsTests
{
    [Theory]
    // torch.amp.GradScaler: grows after two clean steps, backs off once.
    [InlineData("--init 4 --growth 2 --backoff 0.25 --interval 2 --found-inf 0,0,1", new[] { 4.0, 8, 2 }, new[] { 1, 0, 0 })]
    // Megatron: the second overflow in a window is the one that counts, and a growth refills the window.
    [InlineData(
        "--policy megatron --init 256 --min 1 --growth 2 --backoff 0.5 --interval 2 --hysteresis 2 --found-inf 1,0,1,1,0,0,0,1",
        new[] { 256.0, 256, 128, 64, 64, 128, 128, 128 }, new[] { 0, 1, 0, 0, 1, 0, 1, 0 })]
    public async Task ScaleTrace_Vector_GivesItsTrace(string options, double[] scales, int[] trackers)
    {
        var steps = (await DtrainProcess.RunAsync(["scale-trace", .. options.Split(' ')])).Exits(0).Events;
        Assert.Equal(scales, steps.Select(step => step.GetProperty("scale").GetDouble()));
        Assert.Equal(trackers, steps.Select(step => step.GetProperty("growthTracker").GetInt32()));
        var flags = options[(options.LastIndexOf(' ') + 1)..].Split(',');
        Assert.Equal(flags.Select(flag => flag != "0"), steps.Select(step => step.GetProperty("skipped").GetBoolean()));
    }

    [Fact]
    public async Task ScaleTrace_HysteresisWithTorch_Exits2() =>
        (await DtrainProcess.RunAsync("scale-trace", "--policy", "torch", "--hysteresis", "2", "--found-inf", "0")).Exits(2)
            .Says("--hysteresis");

    [Fact]
    public async Task Doctor_ThisMachine_IsHealthy()
    {
        var report = JsonDocument.Parse((await DtrainProcess.RunAsync("doctor", "--json")).Exits(0).Output).RootElement;
        Assert.NotEmpty(report.GetProperty("fingerprint").GetString()!);
        Assert.NotEmpty(report.GetProperty("checks").EnumerateArray());
        Assert.All(
            report.GetProperty("checks").EnumerateArray(), check => Assert.True(check.GetProperty("ok").GetBoolean(), check.GetRawText()));
    }

    [Fact]
    public async Task Plan_Measured_SaysWhatTheFirstStepsTookAndLeavesNothing()
    {
        using TemporaryDirectory directory = new();
        directory.Write("job.yaml", """
            name: planned
            model: { name: mlp, sizes: [3072, 512, 10] }
            data: { name: shapes, samples: 64 }
            globalBatch: 16
            microBatch: 8
            steps: 1000
            checkpoint: { everySteps: 1 }
            """);
        var plan = (await DtrainProcess.RunInAsync(directory.Path, "plan", "job.yaml", "--measure", "--json")).Exits(0).Events.Single();
        // The process itself is in it, libtorch included; what the sizes ask for is the least of it.
        Assert.InRange(plan.GetProperty("measured").GetInt64(), plan.GetProperty("memory").GetProperty("total").GetInt64(), 4L << 30);
        Assert.Equal(["job.yaml"], Directory.GetFileSystemEntries(directory.Path).Select(Path.GetFileName));
        var tight = (await DtrainProcess.RunInAsync(directory.Path, "plan", "job.yaml", "--measure", "--memory", "100MiB")).Exits(1);
        Assert.Contains("It fits by its sizes, but not as measured", tight.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bench_Matmul_EndsWithItsSummary()
    {
        var lines = (await DtrainProcess.RunAsync("bench", "matmul", "--quick", "--json")).Exits(0).Events;
        Assert.All(lines.SkipLast(1), line => Assert.True(line.TryGetProperty("row", out _), line.GetRawText()));
        Assert.NotEmpty(lines[^1].GetProperty("summary").GetProperty("ratios").EnumerateObject());
    }

    [Fact]
    public async Task Bench_Memory_MeasuresEachRunInAProcessOfItsOwn()
    {
        var rows = Rows((await DtrainProcess.RunAsync("bench", "memory", "--only", "lstm", "--quick", "--json")).Exits(0));
        Assert.Equal(["float32", "mixed_bfloat16"], rows.Select(row => row[1]).Distinct());
        Assert.Equal(["plain loop", "1 rank"], rows.Select(row => row[2]).Distinct());
        // The parameters, their gradients and AdamW's moments alone: 4 x 4 bytes of 1.1 million.
        Assert.All(rows, row => Assert.InRange(double.Parse(row[3], CultureInfo.InvariantCulture), 17, 1000));
    }

    [Fact]
    public async Task Bench_AllReduce_OnTwoSilosIsRight()
    {
        var rows = Rows(
            (await DtrainProcess.RunAsync("bench", "allreduce", "--quick", "--sizes", "4KiB,12", "--only", "2 silos", "--json")).Exits(0));
        Assert.Equal(["dtrain", "memory copy", "plain sockets"], rows.Select(row => row[2]).Distinct());
        Assert.Equal(["4096", "12"], rows.Select(row => row[3]).Distinct());
        Assert.All(rows.Where(row => row[2] == "dtrain"), row => Assert.Equal("0", row[^1]));
    }

    [Fact]
    public async Task Bench_Scaling_RunsJobsAndDrawsThem()
    {
        using TemporaryDirectory directory = new();
        var rows = Rows((await DtrainProcess.RunInAsync(
            directory.Path, "bench", "scaling", "--quick", "--only", "512", "--json", "--plot", "scaling.png")).Exits(0));
        Assert.Equal(["one rank", "one rank, half batch", "weak", "weak", "strong", "weak, no overlap"], rows.Select(row => row[2]));
        Assert.Equal(["1", "1", "1", "2", "2", "2"], rows.Select(row => row[4]));
        Assert.True(new FileInfo(directory.File("scaling.png")).Length > 1000);
    }

    [Fact]
    public async Task Bench_Latency_TimesCallsNextToAnEmptyOne()
    {
        var rows = Rows((await DtrainProcess.RunAsync("bench", "latency", "--quick", "--json")).Exits(0));
        Assert.Equal(
            ["empty", "vote, one silo", "last of 64 votes", "empty, with gradients", "probe, with training"],
            rows.Select(row => row[0]));
        Assert.All(rows, row => Assert.True(double.Parse(row[3], CultureInfo.InvariantCulture) > 0, string.Join(' ', row)));
        Assert.Equal("1.00", rows[0][^1]);
    }

    [Fact]
    public async Task Bench_Idle_ShowsEachSiloNextToTheClient()
    {
        var rows = Rows((await DtrainProcess.RunAsync("bench", "idle", "--quick", "--json")).Exits(0));
        Assert.Equal(["silo-0", "silo-1", "silo-2", "client"], rows.Select(row => row[0]));
        Assert.All(rows, row => Assert.True(double.Parse(row[1], CultureInfo.InvariantCulture) >= 0, string.Join(' ', row)));
    }

    [Fact]
    public async Task Bench_NoSuchCase_Exits2AndNamesThem() =>
        (await DtrainProcess.RunAsync("bench", "allreduce", "--only", "frob")).Exits(2).Says("2 silos x 1 rank, peer");

    private static List<string[]> Rows(DtrainResult result) =>
    [
        .. result.Events[^1].GetProperty("summary").GetProperty("rows").EnumerateArray()
            .Select(row => row.EnumerateArray().Select(cell => cell.GetString()!).ToArray()),
    ];
}
