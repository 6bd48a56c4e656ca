using System.Text.RegularExpressions;
using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Grains.Contracts;
using Distributed.Grains.Jobs;
using Distributed.Grains.Queue;

namespace Distributed.Silo.Tests.Cluster;

/// <summary>
/// Records name the types of what they hold; those that an earlier version wrote are read when the types have moved since.
/// </summary>
public sealed class StoredTypeNamesTests(Stores stores) : IClassFixture<Stores>
{
    [Fact]
    public async Task Deserialize_TypesThatHaveMoved_AreFoundByTheirNames()
    {
        var host = await stores.SiloAsync("files");
        JobRecord record = new()
        {
            Submission = new JobSubmission("{}", new RunOptions { Ranks = 3 }, "ann"),
            State = new JobState
            {
                Ended = new Dictionary<int, RankOutcome> { [1] = RankOutcome.Failed },
                Failure = new JobError("internal", "it broke", null, null, null, null),
            },
            Plan = [new SiloRanks(new LeasedSilo(SiloAddressOf(), "silo-0", 2), [new PlacedRank(new(0), "cpu:0")])],
        };
        var read = Moved<JobRecord>(host, record);
        Assert.Equal(
            (record.Submission, RankOutcome.Failed, record.State.Failure), (read.Submission, read.State.Ended[1], read.State.Failure));
        Assert.Equal((record.Plan[0].Silo, record.Plan[0].Ranks[0]), (read.Plan[0].Silo, read.Plan[0].Ranks[0]));
        QueuePage page = new() { Jobs = [new QueueEntry(JobId.Parse("a"), true) { User = "ann" }] };
        Assert.Equal(page.Jobs[0], Moved<QueuePage>(host, page).Jobs[0]);
    }

    /// <summary>As the version before wrote it, shortened to what matters.</summary>
    [Fact]
    public async Task Deserialize_RecordOfAnEarlierVersion_KeepsWhyTheJobWasGoingBack()
    {
        const string Old = """
            {"$id":"1","$type":"Distributed.Grains.Jobs.JobRecord, Distributed.Grains",
             "Submission":{"$id":"2","$type":"Distributed.Grains.Jobs.JobSubmission, Distributed.Grains","SpecJson":"{}","Options":{"$id":"3","$type":"Distributed.Grains.Jobs.RunOptions, Distributed.Grains","Ranks":2},"User":"ann"},
             "State":{"$id":"4","$type":"Distributed.Grains.Jobs.JobState, Distributed.Grains","Phase":2,"Generation":3,
              "Comeback":{"$id":"5","$type":"Distributed.Grains.Jobs.Comeback, Distributed.Grains","Reason":"silo b leaves","Abrupt":true,
               "Error":{"$id":"6","$type":"Distributed.Core.Events.JobError, Distributed.Core","Code":"storage","Message":"full","Rank":null,"Silo":"b","Phase":null,"Step":null},"Counted":true,"Died":"b"}},
             "Epoch":7}
            """;
        var read = (await stores.SiloAsync("files")).Serializer.Deserialize<JobRecord>(new BinaryData(Old))!;
        Assert.Equal(
            new Requeue("silo b leaves", Abrupt: true)
            {
                Error = new JobError("storage", "full", null, "b", null, null),
                Counted = true,
                Died = "b",
            },
            read.State.Requeue);
        Assert.Equal((3, 7, "ann"), (read.State.Generation.Value, read.Epoch, read.Submission!.User));
    }

    /// <summary>Writes a record, lets its types have stood elsewhere, and reads it.</summary>
    private static T Moved<T>(ProviderHost host, T record)
    {
        var written = host.Serializer.Serialize(record).ToString();
        var old = Regex.Replace(written, @"Distributed\.(Core|Grains)\.\w+\.", "Distributed.$1.OfOld.");
        Assert.NotEqual(written, old);
        return host.Serializer.Deserialize<T>(new BinaryData(old))!;
    }

    private static Orleans.Runtime.SiloAddress SiloAddressOf() => Orleans.Runtime.SiloAddress.FromParsableString("127.0.0.1:11111@7");
}
