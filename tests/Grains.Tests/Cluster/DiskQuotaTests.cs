using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Grains.Contracts;
using Distributed.Testing;
using Distributed.Testing.Training;

namespace Distributed.Grains.Tests.Cluster;

/// <summary>What a user's jobs may take of the disk that all share.</summary>
public sealed class DiskQuotaTests : IAsyncLifetime
{
    private const long Quota = 1000;

    private readonly FakeJournals journals = new();
    private TrainingCluster cluster = null!;

    public async Task InitializeAsync() =>
        cluster = await TrainingCluster.Start(1, TimeSpan.FromMinutes(5), new SharedStorage(), journals, quotas: new Small());

    public async Task DisposeAsync() => await cluster.DisposeAsync();

    [Fact]
    public async Task Full_RunningJobEndsWithoutACheckpoint_NothingMoreIsTakenUntilSomethingIsDeleted()
    {
        var gate = cluster.Scripts.Of("big").Hold(3);
        await cluster.Job("big").Submit(Specs.Lasting(steps: 1_000_000));
        await cluster.WaitFor("big", "step 2");
        journals.Sizes["big"] = Quota + 24;
        await Eventually.Is(() => cluster.Job("big").Status(), r => r!.Message.Contains("on the cluster's disk", StringComparison.Ordinal));
        gate.SetResult();
        var failed = Assert.IsType<FailedEvent>(JobEventJson.Read((await cluster.Watch("big"))[^1]));
        Assert.Equal(ErrorCodes.Quota, failed.Error.Code);
        Assert.Equal(
            "Its checkpoints and events are too large: the jobs of user ann take 1 KiB on the cluster's disk and may take 1000 bytes: "
            + "delete some of them, or ask the cluster's operator for a larger quota.",
            failed.Error.Message);

        Assert.Contains("may take 1000 bytes", (await cluster.Job("big").Resume(Callers.Admin))!.Refusal, StringComparison.Ordinal);
        var refused = await cluster.Job("more").Submit(Specs.Lasting());
        Assert.Equal(SubmitResult.OverQuota, refused.Result);
        Assert.Contains("may take 1000 bytes", refused.Message, StringComparison.Ordinal);
        // Others are not concerned.
        Assert.Equal(SubmitResult.Created, (await cluster.Job("other").Submit(Specs.Lasting(user: "bob"))).Result);
        await cluster.Watch("other");

        journals.Sizes.TryRemove("big", out _);
        await Eventually.Is(() => cluster.Job("big").Delete(Callers.Admin), c => c!.Refusal is null);
        Assert.Equal(SubmitResult.Created, (await cluster.Job("more").Submit(Specs.Lasting())).Result);
        await cluster.Watch("more");
    }

    [Fact]
    public async Task Full_WhileAnotherJobOfTheUserWaits_ItIsHeldUntilSomethingIsDeleted()
    {
        var gate = cluster.Scripts.Of("others").Hold(3);
        await cluster.Job("others").Submit(Specs.Lasting(steps: 1_000_000, user: "bob"));
        await cluster.WaitFor("others", "step 2");
        await cluster.Job("old").Submit(Specs.Lasting());
        await cluster.Job("waits").Submit(Specs.Lasting());
        // The folder of a job that ends is looked at anew.
        journals.Sizes["old"] = Quota;
        await cluster.Job("old").Stop(checkpoint: false, Callers.Admin);
        await cluster.Job("others").Stop(checkpoint: false, Callers.Admin);
        gate.SetResult();
        await cluster.Watch("others");
        var report = await Eventually.Is(
            () => cluster.Job("waits").Status(), r => r!.Message.Contains("on the cluster's disk", StringComparison.Ordinal));
        Assert.Equal(JobPhase.Queued, report!.Phase);
        Assert.Contains((await cluster.Job("waits").Why())!.Findings, finding => finding.Remedy.StartsWith(
            "Delete some of them", StringComparison.Ordinal));

        journals.Sizes.TryRemove("old", out _);
        Assert.Null((await cluster.Job("old").Delete(Callers.Admin))!.Refusal);
        await cluster.Watch("waits");
    }

    [Fact]
    public async Task Look_VolumeHangs_HoldsUpNobody()
    {
        var gate = cluster.Scripts.Of("others").Hold(3);
        await cluster.Job("others").Submit(Specs.Lasting(steps: 1_000_000, user: "bob"));
        await cluster.WaitFor("others", "step 2");
        await cluster.Job("old").Submit(Specs.Lasting());
        await cluster.Job("first").Submit(Specs.Lasting());
        await cluster.Job("second").Submit(Specs.Lasting(user: "bob"));
        TaskCompletionSource never = new();
        journals.Answers = never.Task;
        // What this one holds is not known any more.
        await cluster.Job("old").Stop(checkpoint: false, Callers.Admin);
        await cluster.Job("others").Stop(checkpoint: false, Callers.Admin);
        gate.SetResult();
        Assert.IsType<CompletedEvent>(JobEventJson.Read((await cluster.Watch("first"))[^1]));
        Assert.IsType<CompletedEvent>(JobEventJson.Read((await cluster.Watch("second"))[^1]));
        never.SetResult();
    }

    private sealed class Small : IUserQuotas
    {
        public UserQuota Of(string user) => user == "ann" ? new(null, null, Disk: Quota) : default;
    }
}
