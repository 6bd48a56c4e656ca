using Distributed.Client.Following;
using Distributed.Client.Rendering;
using Distributed.Core.Events;
using Distributed.Core.Jobs;

namespace Distributed.Client.Tests.Rendering;

public sealed class RunSummaryTests
{
    private static StepEvent Step(long step, double scale, bool skipped = false) =>
        new(step, 0, 1.5, 64, 0.001, scale, 0, skipped, step, 1.0, new(1), 0.01, new(0, 0, 0, 0, 0, 0));

    private static RunProgress After(params JobEvent[] events)
    {
        RunProgress progress = new() { LastPlannedStep = 100 };
        foreach (var news in events) progress.Apply(news);
        return progress;
    }

    [Fact]
    public void Completed_SummaryHasAllFigures()
    {
        var progress = After(
            new StartedEvent(JobId.Parse("j"), new(1), []) { Data = new(8000, 1000, 10, 0, new string('a', 64)) },
            Step(1, 65536),
            Step(2, 32768, skipped: true) with { NonFinite = "fc.weight" },
            new EvalEvent(2, new Dictionary<string, double> { ["loss"] = 1.2, ["accuracy"] = 0.57 }),
            new CompletedEvent(2, 0.9, "abc", 1, 3.5, 4100, "/run/checkpoints/step-2"));
        progress.PeakMemory = 412L << 20;
        using StringWriter output = new();
        RunSummary.Write(output, progress, "/run");
        Assert.Equal(
            """
            completed      2 steps, last loss 0.9000
            data           8000 training and 1000 test samples, 10 classes, sha256 aaaaaaaaaaaaaaaa
            evaluation     accuracy 0.5700, loss 1.2000 (after step 2)
            throughput     4100 samples/s, 3.5 s in all
            loss scale     65536 -> 32768 (step 2, overflow); 1 of 2 steps skipped
            skipped        1 of 2 steps, the first 2, where the gradient of 'fc.weight' was not finite
            memory         412 MiB at most in a silo process
            weightsSha256  abc
            checkpoint     /run/checkpoints/step-2
            run            /run

            """,
            output.ToString());
    }

    [Fact]
    public void ScaleHistory_NeverMoved_SaysThroughout() =>
        Assert.Equal("1 throughout; 0 of 2 steps skipped", ScaleHistory.Describe(After(Step(1, 1), Step(2, 1))));

    [Fact]
    public void ScaleHistory_NotFromTheFirstEvent_SaysWhatWasSeen()
    {
        RunProgress progress = new() { IsPartial = true };
        Assert.Equal("no step was seen", ScaleHistory.Describe(progress));
        progress.Apply(Step(7, 1));
        Assert.Equal("1 throughout; 0 of 1 seen steps skipped", ScaleHistory.Describe(progress));
    }

    [Fact]
    public void ScaleHistory_ManyChanges_LeavesOutTheMiddle()
    {
        var text = ScaleHistory.Describe(After([.. Enumerable.Range(1, 20).Select(step => Step(step, step))]));
        Assert.StartsWith("1 -> 2 (step 2) -> 3 (step 3) -> 4 (step 4) -> (12 more) -> 17 (step 17)", text, StringComparison.Ordinal);
    }

    [Fact]
    public void ScaleHistory_StepsDoneAgainAfterALoss_CountOnce() => Assert.Equal(
        "8 -> 4 (step 2, overflow); 1 of 3 steps skipped",
        ScaleHistory.Describe(After(
            Step(1, 8), Step(2, 4, skipped: true), new GenerationEvent(new(2), "silo b lost", []), Step(1, 8), Step(2, 4, skipped: true),
            Step(3, 4))));

    [Fact]
    public void Progress_Cells_ShowPaceAndRemainder()
    {
        var cells = ProgressCells.Of(After(Step(1, 1), Step(2, 1))).ToDictionary(cell => cell.Label, cell => cell.Value);
        Assert.Equal(("2/100", "6400", "0:00:00"), (cells["step"], cells["samples/s"], cells["ETA"]));
    }

    [Fact]
    public void Failure_NamesCodeAndPlace() => Assert.Equal(
        "job j failed [deadline]: Late. (rank 2, silo b, phase exchange, step 118)",
        JobFailureText.Describe(JobId.Parse("j"), new("deadline", "Late.", new(2), "b", "exchange", 118)));
}
