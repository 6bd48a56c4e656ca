using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Grains.Contracts;
using Distributed.Grains.Jobs;
using Distributed.Grains.Queue;
using Orleans.Runtime;

namespace Distributed.Silo.Tests.Cluster;

/// <summary>Ids of jobs, generations and ranks lie in the stores as texts and numbers.</summary>
/// <remarks>Versions that knew no types for these wrote them so, and can read them again.</remarks>
public sealed class StoredRecordsTests(Stores stores) : IClassFixture<Stores>
{
    /// <summary>As such a version wrote it, but in lines.</summary>
    private const string Job = """
        {"$id":"1","$type":"Distributed.Grains.Jobs.JobRecord, Distributed.Grains","State":{"$id":"2",
        "$type":"Distributed.Grains.Jobs.JobState, Distributed.Grains","Phase":5,"Generation":3,"WorldSize":2,
        "Ended":{"$id":"3","$type":"System.Collections.Generic.Dictionary`2[[System.Int32, System.Private.CoreLib],
        [Distributed.Grains.Contracts.RankOutcome, Distributed.Grains]], System.Private.CoreLib","1":2},
        "Failure":{"$id":"4","$type":"Distributed.Core.Events.JobError, Distributed.Core","Code":"internal",
        "Message":"it broke","Rank":1,"Silo":"silo-0","Step":7},"Died":{"$type":"System.Collections.Immutable.ImmutableArray`1[[System.String,
         System.Private.CoreLib]], System.Collections.Immutable","$values":[]},
        "Starved":{"$type":"System.Collections.Immutable.ImmutableArray`1[[System.String, System.Private.CoreLib]],
         System.Collections.Immutable","$values":[]},"Faults":{"$type":"System.Collections.Immutable.ImmutableArray`1[[Distributed.Grains.Contracts.SiloFault,
         Distributed.Grains]], System.Collections.Immutable","$values":[]}},
        "Plan":{"$type":"System.Collections.Immutable.ImmutableArray`1[[Distributed.Grains.Contracts.SiloRanks,
         Distributed.Grains]], System.Collections.Immutable","$values":[{"$id":"5",
        "$type":"Distributed.Grains.Contracts.SiloRanks, Distributed.Grains","Silo":{"$id":"6",
        "$type":"Distributed.Grains.Contracts.LeasedSilo, Distributed.Grains","Address":"127.0.0.1:11111@7",
        "Name":"silo-0","Slots":2,"Fingerprint":""},"Ranks":{"$type":"System.Collections.Immutable.ImmutableArray`1[[Distributed.Grains.Contracts.PlacedRank,
         Distributed.Grains]], System.Collections.Immutable","$values":[{"$id":"7",
        "$type":"Distributed.Grains.Contracts.PlacedRank, Distributed.Grains","Device":"cpu:0"},{"$id":"8",
        "$type":"Distributed.Grains.Contracts.PlacedRank, Distributed.Grains","Rank":1,"Device":"cpu:1"}]}}]},
        "Epoch":4}
        """;

    private const string Page = """
        {"$id":"1","$type":"Distributed.Grains.Queue.QueuePage, Distributed.Grains",
        "Jobs":{"$type":"System.Collections.Immutable.ImmutableArray`1[[Distributed.Grains.Queue.QueueEntry,
         Distributed.Grains]], System.Collections.Immutable","$values":[{"$id":"2",
        "$type":"Distributed.Grains.Queue.QueueEntry, Distributed.Grains","JobId":"nightly-7","Ended":true,
        "User":"ann"}]}}
        """;

    private static readonly SiloAddress Address = SiloAddress.FromParsableString("127.0.0.1:11111@7");

    [Fact]
    public async Task Records_KeepTheirText()
    {
        var serializer = (await stores.SiloAsync("files")).Serializer;
        JobRecord record = new()
        {
            State = new JobState
            {
                Phase = JobPhase.Failed,
                Generation = new(3),
                WorldSize = 2,
                Ended = new Dictionary<int, RankOutcome> { [1] = RankOutcome.Failed },
                Failure = new JobError("internal", "it broke", new Rank(1), "silo-0", null, 7),
            },
            Plan =
                [new SiloRanks(new LeasedSilo(Address, "silo-0", 2), [new PlacedRank(new(0), "cpu:0"), new PlacedRank(new(1), "cpu:1")])],
            Epoch = 4,
        };
        Assert.Equal(Job.ReplaceLineEndings(""), serializer.Serialize(record).ToString());
        QueuePage page = new() { Jobs = [new QueueEntry(JobId.Parse("nightly-7"), true) { User = "ann" }] };
        Assert.Equal(Page.ReplaceLineEndings(""), serializer.Serialize(page).ToString());

        var read = serializer.Deserialize<JobRecord>(new BinaryData(Job.ReplaceLineEndings("")))!;
        Assert.Equal((record.State.Generation, record.State.Failure), (read.State.Generation, read.State.Failure));
        Assert.Equal(RankOutcome.Failed, read.State.Ended[1]);
        Assert.Equal(record.Plan[0].Ranks, read.Plan[0].Ranks.AsEnumerable());
        Assert.Equal(page.Jobs, serializer.Deserialize<QueuePage>(new BinaryData(Page.ReplaceLineEndings("")))!.Jobs.AsEnumerable());
    }

    /// <summary>Earlier versions took any folder that said whose it is for a job.</summary>
    [Fact]
    public async Task StoredNameThatIsNoId_IsNoJobs()
    {
        var serializer = (await stores.SiloAsync("files")).Serializer;
        var stored = Page.ReplaceLineEndings("").Replace("nightly-7", "_nightly-7", StringComparison.Ordinal);
        Assert.Equal(default, Assert.Single(serializer.Deserialize<QueuePage>(new BinaryData(stored))!.Jobs).JobId);
    }
}
