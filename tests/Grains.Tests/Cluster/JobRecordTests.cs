using System.Net;
using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Grains.Contracts;
using Distributed.Grains.Jobs;
using Distributed.Grains.Placement;

namespace Distributed.Grains.Tests.Cluster;

public sealed class JobRecordTests : IAsyncLifetime
{
    private TrainingCluster cluster = null!;

    public async Task InitializeAsync() => cluster = await TrainingCluster.Start(1);

    public async Task DisposeAsync() => await cluster.DisposeAsync();

    [Fact]
    public void Stored_ReadBack_IsTheSameJob()
    {
        var silo = new LeasedSilo(Orleans.Runtime.SiloAddress.New(IPAddress.Loopback, 4711, 99), "silo-0", 2);
        var grant = JobLifecycle.Grant(JobLifecycle.Submit(new JobState()).State, 2).State;
        var failed = JobLifecycle.RankEnded(grant, new RankEnd(
            new(1), new(1), RankOutcome.Failed, new JobError(ErrorCodes.DataInvalid, "broken", new(1), "silo-0", "data", 3))).State;
        var record = new JobRecord { Submission = Specs.Submission(), State = failed, Plan = RankPlan.Deal(2, "cpu", [silo]) };
        var serializer = cluster.StorageSerializer;
        var back = serializer.Deserialize<JobRecord>(serializer.Serialize(record))!;
        Assert.Equal(record.Submission, back.Submission);
        Assert.Equal(
            (JobPhase.Failed, 1, 2, failed.Failure),
            (back.State.Phase, back.State.Generation.Value, back.State.WorldSize, back.State.Failure));
        Assert.Equal(failed.Ended, back.State.Ended);
        Assert.Equal((silo, 2), (back.Plan[0].Silo, back.Plan[0].Ranks.Length));
        Assert.Equal(record.Plan[0].Ranks.ToArray(), back.Plan[0].Ranks.ToArray());
    }
}
