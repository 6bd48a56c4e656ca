using Distributed.Core;
using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Grains.Jobs;

namespace Distributed.Grains.Tests.Cluster;

/// <summary>Jobs over their limit, in a cluster that looks at its own clock.</summary>
public sealed class LimitTests : IAsyncLifetime
{
    private TrainingCluster cluster = null!;

    public async Task InitializeAsync() => cluster = await TrainingCluster.Start(1);

    public async Task DisposeAsync() => await cluster.DisposeAsync();

    private static JobSubmission With(LimitsSpec limits, int min = 1) => new(
        JobSpecJson.Write(Specs.Job() with { Workers = new WorkersSpec { Min = min, Max = min }, Limits = limits }), new RunOptions { Requeue = true }, "ann");

    [Fact]
    public async Task LongerThanItMay_WaitingOrRunning_FailsAndCanBeResumed()
    {
        var second = TimeSpan.FromSeconds(1);
        var script = cluster.Scripts.Of("runs");
        var gate = script.Hold(3);
        await cluster.Job("runs").Submit(With(new LimitsSpec { Run = second }));
        await cluster.WaitFor("runs", "step 2");
        // The one silo is taken.
        await cluster.Job("waits").Submit(With(new LimitsSpec { Queued = second }));

        var waited = Assert.IsType<FailedEvent>(JobEventJson.Read((await cluster.Watch("waits"))[^1]));
        Assert.Equal(ErrorCodes.LimitExceeded, waited.Error.Code);
        await TrainingCluster.Eventually(() => cluster.Job("runs").Status(), r => r!.Message.StartsWith("ends after the step in flight: It ran for 1s", StringComparison.Ordinal));
        gate.SetResult();
        var ran = Assert.IsType<FailedEvent>(JobEventJson.Read((await cluster.Watch("runs"))[^1]));
        Assert.Equal(ErrorCodes.LimitExceeded, ran.Error.Code);
        var why = (await cluster.Job("runs").Why())!.Findings[0];
        Assert.Contains("limits.run", why.What, StringComparison.Ordinal);
        Assert.Contains("dtrain resume runs", why.Remedy, StringComparison.Ordinal);

        Assert.Null((await TrainingCluster.Eventually(() => cluster.Job("runs").Resume(), c => c!.Refusal is null))!.Refusal);
        await TrainingCluster.Eventually(() => cluster.Job("runs").Status(), r => r!.Phase == JobPhase.Completed);
        // Nothing twice: what was done before the limit was in the checkpoint.
        Assert.Equal([1, 2, 3, 4, 5], script.Votes.Select(v => v.Step));
    }
}
