using System.Text.Json;
using Distributed.Client.Following;
using Distributed.Client.Rendering;
using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Protocol.V1;
using Microsoft.Extensions.Time.Testing;

namespace Distributed.Client.Tests.Rendering;

public sealed class ClusterViewsTests
{
    private static readonly JobStatus Running = new()
    {
        Id = "nightly",
        Name = "cifar10",
        State = "running",
        Step = 7,
        Steps = 90,
        Generation = 2,
        User = "ann",
        Priority = -3,
        Ranks = 4,
        Silos = { "silo-0", "silo-2" },
    };

    private static readonly JobStatus Queued =
        new() { Id = "later", Name = "cifar10", State = "queued", Message = "4 slots are free, 8 are needed", User = "bob" };

    [Fact]
    public void Table_Jobs_ShowsWhoseTheyAreAndWhereTheyRun()
    {
        using StringWriter output = new();
        JobStatusView.WriteTable(output, [Running, Queued]);
        Assert.Equal(
            """
            ID       NAME     USER  STATE    PRIORITY  STEP  GENERATION  RANKS  SILOS          MESSAGE
            nightly  cifar10  ann   running  -3        7/90  2           4      silo-0,silo-2
            later    cifar10  bob   queued   0         0     0           -      -              4 slots are free, 8 are needed

            """,
            output.ToString());
    }

    [Fact]
    public void Json_Job_HasTheOldFieldsAndTheNew() => Assert.Equal(
        """{"id":"nightly","name":"cifar10","state":"running","step":7,"steps":90,"generation":2,"message":null"""
        + ""","user":"ann","priority":-3,"ranks":4,"silos":["silo-0","silo-2"]}""",
        JobStatusView.Json(Running));

    [Fact]
    public void Why_Findings_StandWithTheirRemedies()
    {
        WhyReply reply = new()
        {
            Job = Queued,
            Findings = { new Finding { What = "Needs 8 slots.", Remedy = "Add a silo." }, new Finding { What = "It is young." } },
        };
        using StringWriter output = new();
        WhyView.Write(output, reply);
        Assert.Equal("Job later is queued.\n- Needs 8 slots.\n  Remedy: Add a silo.\n- It is young.\n", output.ToString());
        var json = JsonDocument.Parse(WhyView.Json(reply)).RootElement;
        Assert.Equal("later", json.GetProperty("job").GetProperty("id").GetString());
        Assert.Equal("Add a silo.", json.GetProperty("findings")[0].GetProperty("remedy").GetString());
        Assert.Equal(JsonValueKind.Null, json.GetProperty("findings")[1].GetProperty("remedy").ValueKind);
    }

    [Fact]
    public void Cluster_Silos_StandInATable()
    {
        ClusterReply reply = new()
        {
            Silos = { new SiloStatus { Name = "silo-0", State = "busy", Slots = 2, Job = "nightly" },
                new SiloStatus { Name = "silo-1", State = "free", Slots = 2, Fault = "passed over" } },
            Waiting = 3,
            Running = 1,
        };
        using StringWriter output = new();
        ClusterTable.Write(output, reply);
        Assert.Equal(
            "SILO    STATE  SLOTS  JOB\nsilo-0  busy   2      nightly\nsilo-1  free   2\nsilo silo-1: passed over\n"
            + "jobs: 1 running, 3 waiting\n",
            output.ToString());
        Assert.Equal(
            """{"silos":[{"name":"silo-0","state":"busy","slots":2,"job":"nightly","fault":null,"fingerprint":null},"""
            + """{"name":"silo-1","state":"free","slots":2,"job":null,"fault":"passed over","fingerprint":null}]"""
            + ""","waiting":3,"running":1}""",
            ClusterTable.Json(reply));
    }

    [Fact]
    public void Cluster_SilosThatDiffer_AreShownByKind()
    {
        ClusterReply reply = new()
        {
            Silos =
            {
                new SiloStatus { Name = "silo-0", State = "free", Slots = 2, Fingerprint = "cpu; avx512" },
                new SiloStatus { Name = "silo-1", State = "free", Slots = 2, Fingerprint = "cpu; avx2" },
                new SiloStatus { Name = "silo-2", State = "free", Slots = 2, Fingerprint = "cpu; avx512" },
                new SiloStatus { Name = "silo-3", State = "silent" },
            },
        };
        using StringWriter output = new();
        ClusterTable.Write(output, reply);
        Assert.Contains(
            "the ranks of one job run on silos that are alike:\n  silo-0, silo-2: cpu; avx512\n  silo-1: cpu; avx2\njobs:",
            output.ToString(), StringComparison.Ordinal);
        Assert.Contains(
            """{"name":"silo-1","state":"free","slots":2,"job":null,"fault":null,"fingerprint":"cpu; avx2"}""", ClusterTable.Json(reply),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Generation_IsToldInALine()
    {
        RankPlace[] ranks = [new(new(0), "silo-1", "cpu:0"), new(new(1), "silo-1", "cpu:1"), new(new(2), "silo-2", "cpu:0")];
        Assert.Equal(
            "generation 2: silo silo-0 lost; 3 ranks on silo-1, silo-2",
            EventWords.Describe(new GenerationEvent(new(2), "silo silo-0 lost", ranks)));
        Assert.Equal("generation 3: 1 rank on silo-1", EventWords.Describe(new StartedEvent(JobId.Parse("nightly"), new(3), ranks[..1])));
        Assert.Null(EventWords.Describe(new StartedEvent(JobId.Parse("nightly"), new(1), ranks)));
    }

    [Fact]
    public void Progress_JobThatIsResumed_HasNotEnded()
    {
        RunProgress progress = new() { Waiting = "silos" };
        progress.Apply(new StoppedEvent(7, "", null));
        Assert.NotNull(progress.End);
        progress.Apply(new StartedEvent(JobId.Parse("nightly"), new(2), []));
        Assert.Null(progress.End);
        Assert.Null(progress.Waiting);
    }

    [Fact]
    public async Task LineView_WaitingJob_SaysWhyOnceUntilItChanges()
    {
        using StringWriter error = new();
        RunProgress progress = new();
        await new LineView(error, new FakeTimeProvider()).ShowAsync(progress, changed =>
        {
            foreach (var reason in new[] { "a", "a", "b", null, "b" })
            {
                progress.Waiting = reason;
                changed();
            }

            return Task.CompletedTask;
        });
        Assert.Equal("waiting: a\nwaiting: b\nwaiting: b\n", error.ToString());
    }
}
