using Distributed.Core.Documents;
using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Core.Spec;
using Distributed.Grains.Contracts;
using Distributed.Testing;
using Distributed.Testing.Training;

namespace Distributed.Grains.Tests.Cluster;

/// <summary>Jobs over their limit, in a cluster that looks at its own clock.</summary>
public sealed class LimitTests : IAsyncLifetime
{
    private TrainingCluster cluster = null!;

    public async Task InitializeAsync() => cluster = await TrainingCluster.Start(1);

    public async Task DisposeAsync() => await cluster.DisposeAsync();

    private static JobSubmission With(LimitsSpec limits, int min = 1) => new(
        JobSpecJson.Write(Specs.Job() with { Workers = new WorkersSpec { Min = min, Max = min }, Limits = limits }),
        new RunOptions { Requeue = true }, "ann");

    [Fact]
    public async Task LongerThanItMay_WaitingOrRunning_FailsAndCanBeResumed()
    {
        var second = TimeSpan.FromSeconds(1);
        // The one silo is taken.
        var free = cluster.Scripts.Of("blocks").Hold(1);
        await cluster.Job("blocks").Submit(Specs.Lasting(min: 1, max: 1));
        await Eventually.Is(() => cluster.Job("blocks").Status(), r => r!.Phase == JobPhase.Running);
        await cluster.Job("waits").Submit(With(new LimitsSpec { Queued = second }));
        var waited = Assert.IsType<FailedEvent>(JobEventJson.Read((await cluster.Watch("waits"))[^1]));
        Assert.Equal(ErrorCodes.LimitExceeded, waited.Error.Code);
        free.SetResult();
        await cluster.Watch("blocks");

        var script = cluster.Scripts.Of("runs");
        var gate = script.Hold(1);
        await cluster.Job("runs").Submit(With(new LimitsSpec { Run = second }));
        await Eventually.Is(() => cluster.Job("runs").Status(), r => r!.Message.StartsWith(
            "ends after the step in flight: It ran for 1s", StringComparison.Ordinal));
        // The ranks have been told by then.
        await Eventually.Is(
            () => cluster.Job("runs").ReadLog(0, 100, TimeSpan.Zero),
            log => log!.Events.Any(line => line.Json.Contains("It writes a checkpoint and ends.", StringComparison.Ordinal)));
        gate.SetResult();
        var ran = Assert.IsType<FailedEvent>(JobEventJson.Read((await cluster.Watch("runs"))[^1]));
        Assert.Equal(ErrorCodes.LimitExceeded, ran.Error.Code);
        // After the step in flight, with a checkpoint.
        Assert.Equal(1, script.Saved.Step);
        var why = (await cluster.Job("runs").Why())!.Findings[0];
        Assert.Contains("limits.run", why.What, StringComparison.Ordinal);
        Assert.Contains("dtrain resume runs", why.Remedy, StringComparison.Ordinal);
        await Eventually.Is(() => cluster.Job("runs").Resume(Callers.Admin), c => c!.Refusal is null);
        await Eventually.Is(() => cluster.Job("runs").Status(), r => r!.Generation.Value == 2);
    }
}
