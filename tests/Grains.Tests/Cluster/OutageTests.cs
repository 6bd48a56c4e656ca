using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Grains.Contracts;
using Distributed.Grains.Jobs;
using Distributed.Grains.Placement;
using Distributed.Testing;
using Distributed.Testing.Training;
using Orleans.Runtime;

namespace Distributed.Grains.Tests.Cluster;

/// <summary>
/// Storage and journals that are away for a while, and silos that end at the worst moment: no job hangs, none is forgotten.
/// </summary>
public sealed class OutageTests : IAsyncDisposable
{
    private static readonly TimeSpan Soon = TimeSpan.FromMinutes(3);

    private readonly SharedStorage storage = new();
    private readonly FakeJournals journals = new();
    private TrainingCluster cluster = null!;

    public async ValueTask DisposeAsync() => await cluster.DisposeAsync();

    private async Task Start(short silos) => cluster = await TrainingCluster.Start(silos, TimeSpan.FromMinutes(10), storage, journals);

    /// <summary>All silos end, others begin: to the new ones the old are unknown.</summary>
    private async Task StartOthers()
    {
        await cluster.DisposeAsync();
        await Start(1);
    }

    private Task<JobReport?> Phase(string id, JobPhase phase) => Eventually.Is(() => cluster.Job(id).Status(), r => r?.Phase == phase);

    /// <summary>As the events of a rank on a silo that lives reach the job's next grain, before it found out what it missed.</summary>
    [Fact]
    public async Task Append_FirstCallToAGrainThatWasLost_KeepsTheLinesUntilTheRecordIsWritten()
    {
        await Start(1);
        await StoreRunning("orphan");
        await cluster.Job("orphan").Append(new EventBatch(new(1), "x", 0, [EventLine.Of(new WarningEvent("late"))], 0));
        var events = await Watch("orphan");
        Assert.Contains("\"started\"", events[0], StringComparison.Ordinal);
        Assert.Contains("late", events[1], StringComparison.Ordinal);
        Assert.Contains("completed", events[^1], StringComparison.Ordinal);
    }

    /// <summary>The grain before wrote them down, and the silo that sent them never heard of it.</summary>
    [Fact]
    public async Task Append_LinesThatTheGrainBeforeTook_AreInTheLogOnce()
    {
        await Start(1);
        await StoreRunning("twice");
        var (kept, fresh) = (EventLine.Of(new WarningEvent("kept")), EventLine.Of(new WarningEvent("fresh")));
        await using (var journal = await journals.Open(JobId.Parse("twice"), JournalKind.Events))
        {
            await journal.Begin(1);
            await journal.Append([kept.Json]);
        }

        await cluster.Job("twice").Append(new EventBatch(new(1), "x", 7, [kept, fresh], 0));
        var events = await Watch("twice");
        Assert.Single(events, kept.Json);
        Assert.Single(events, fresh.Json);
    }

    /// <summary>What the ranks say of their end costs no write of its own, and a write that failed has not lost it.</summary>
    [Fact]
    public async Task Append_Ending_IsStoredWithTheNextChange()
    {
        await Start(1);
        var gate = cluster.Scripts.Of("announced").Hold(2);
        await cluster.Job("announced").Submit(Specs.Lasting());
        await cluster.WaitFor("announced", "step 1");
        var ending = EventLine.Of(new CompletedEvent(5, 1, "ab", 0, 1, 1, "here"));
        await cluster.Job("announced").Append(new EventBatch(Generation.First, "x", 0, [ending], 0));
        Assert.Null(await StoredAnnouncement("announced"));
        storage.Refused = "announced";
        await Assert.ThrowsAnyAsync<Exception>(() => cluster.Job("announced").Confirm(Generation.First, 1));
        storage.Refused = null;
        Assert.Null(await StoredAnnouncement("announced"));
        Assert.Null(await cluster.Job("announced").Confirm(Generation.First, 1));
        Assert.Equal(ending, await StoredAnnouncement("announced"));
        gate.SetResult();
        await Phase("announced", JobPhase.Completed);
    }

    /// <summary>The silo that follows a job is lost, and none of its ranks: the log goes on where it was.</summary>
    [Fact]
    public async Task Recover_NoRankWasLost_EveryLineIsInTheLogOnce()
    {
        await Start(2);
        var gate = cluster.Scripts.Of("followed").Hold(3);
        await cluster.GrainsIn(1).GetGrain<IJobGrain>("followed").Submit(Specs.Lasting());
        await cluster.WaitFor("followed", "step 2");
        Assert.Equal(cluster.SiloNames[0], Assert.Single((await Ask("followed"))!.Silos));
        await cluster.KillSecond();
        gate.SetResult();
        await Eventually.Is(() => Ask("followed"), r => r?.Phase == JobPhase.Completed);
        var events = (await Watch("followed")).Select(e => JobEventJson.Read(e)!).ToList();
        Assert.IsType<StartedEvent>(events[0]);
        Assert.Equal(["step 1", "step 2", "step 3", "step 4", "step 5"], events.OfType<WarningEvent>().Select(w => w.Message));
        Assert.IsType<CompletedEvent>(events[6]);
        Assert.Equal(7, events.Count);
    }

    [Fact]
    public async Task RankEnded_StorageAwayForLong_IsTakenWhenItIsBack()
    {
        await Start(1);
        var gate = cluster.Scripts.Of("long").Hold(5);
        await cluster.Job("long").Submit(Specs.Lasting());
        await cluster.WaitFor("long", "step 4");
        storage.Refused = "long";
        gate.SetResult();
        await Task.Delay(TimeSpan.FromSeconds(8), TimeProvider.System);
        storage.Refused = null;
        Assert.Equal(1, (await Phase("long", JobPhase.Completed).WaitAsync(Soon))!.Generation.Value);
    }

    [Fact]
    public async Task Recover_RecordCannotBeWrittenAtFirst_IsTriedAgain()
    {
        await Start(3);
        // Grain and ranks are lost with one silo.
        cluster.Scripts.Of("silent").Vote = (_, vote) => vote is { Generation.Value: 1, Step: 3 } ? null : vote;
        cluster.ServiceIn<SiloDrain>(0).Ask(drain: true);
        await cluster.GrainsIn(1).GetGrain<IJobGrain>("silent").Submit(Specs.Lasting());
        await cluster.WaitFor("silent", "step 2");
        Assert.Equal(cluster.SiloNames[1], Assert.Single((await Ask("silent"))!.Silos));
        cluster.ServiceIn<SiloDrain>(0).Ask(drain: false);
        storage.Refused = "silent";
        await cluster.KillSecond();
        await Eventually.Is(() => Ask("silent"), r => r is not null);
        await Task.Delay(TimeSpan.FromSeconds(2), TimeProvider.System);
        storage.Refused = null;
        var done = await Eventually.Is(() => Ask("silent"), r => r?.Phase == JobPhase.Completed).WaitAsync(Soon);
        Assert.Equal(2, done!.Generation.Value);
    }

    [Fact]
    public async Task Resume_QueueCannotWriteItDown_LinesUpWhenItCan()
    {
        await Start(1);
        var gate = cluster.Scripts.Of("again").Hold(3);
        await cluster.Job("again").Submit(Specs.Lasting());
        await cluster.WaitFor("again", "step 2");
        await cluster.Job("again").Stop(checkpoint: true, Callers.Admin);
        gate.SetResult();
        await Watch("again");
        storage.Refused = "0";
        await Assert.ThrowsAnyAsync<OrleansException>(() => cluster.Job("again").Resume(Callers.Admin));
        storage.Refused = null;
        await Phase("again", JobPhase.Completed).WaitAsync(Soon);
    }

    [Fact]
    public async Task OneJobThatCannotWake_OthersBegin()
    {
        await Start(1);
        await cluster.Job("bad").Submit(Specs.Lasting(min: 8, max: 8, priority: 5));
        journals.Broken = "bad";
        await StartOthers();
        await cluster.Job("good").Submit(Specs.Lasting());
        await Phase("good", JobPhase.Completed).WaitAsync(Soon);
    }

    [Fact]
    public async Task Ending_DiskFull_IsWrittenWhenThereIsRoom()
    {
        await Start(1);
        var gate = cluster.Scripts.Of("full").Hold(5);
        await cluster.Job("full").Submit(Specs.Lasting());
        await cluster.WaitFor("full", "step 4");
        journals.IsFull = true;
        gate.SetResult();
        await Phase("full", JobPhase.Completed);
        journals.IsFull = false;
        var events = await Watch("full");
        Assert.IsType<CompletedEvent>(JobEventJson.Read(events[^1]));
    }

    [Fact]
    public async Task Ending_SiloEndedBeforeItWasWritten_IsWrittenByTheNextGrain()
    {
        await Start(1);
        var gate = cluster.Scripts.Of("short").Hold(5);
        await cluster.Job("short").Submit(Specs.Lasting());
        await cluster.WaitFor("short", "step 4");
        journals.IsFull = true;
        gate.SetResult();
        await Phase("short", JobPhase.Completed);
        await cluster.DisposeAsync();
        journals.IsFull = false;
        await Start(1);
        var events = await Watch("short");
        Assert.IsType<CompletedEvent>(JobEventJson.Read(events[^1]));
    }

    [Fact]
    public async Task AllSilosReplacedByUnknownOnes_ComesBackLongBeforeTheStepsDeadline()
    {
        await Start(1);
        cluster.Scripts.Of("moved").Hold(3);
        await cluster.Job("moved").Submit(Specs.Lasting());
        await cluster.WaitFor("moved", "step 2");
        await StartOthers();
        Assert.Equal(2, (await Phase("moved", JobPhase.Completed).WaitAsync(Soon))!.Generation.Value);
    }

    [Fact]
    public async Task GenerationStoredButNeverStarted_ComesBackLongBeforeTheStepsDeadline()
    {
        await Start(1);
        await StoreRunning("begun");
        Assert.Equal(2, (await Phase("begun", JobPhase.Completed).WaitAsync(Soon))!.Generation.Value);
    }

    /// <summary>As after an upgrade to a version that reads job files more strictly.</summary>
    [Theory]
    [InlineData(JobPhase.Queued)]
    [InlineData(JobPhase.Running)]
    [InlineData(JobPhase.Stopped)]
    public async Task JobThatThisVersionRefuses_IsShownAndCanBeDeleted(JobPhase phase)
    {
        await Start(1);
        await StoreRunning(
            "old",
            state => state with
            {
                Phase = phase,
                WorldSize = phase == JobPhase.Running ? 1 : 0,
                Announced = phase == JobPhase.Stopped ? EventLine.Of(new StoppedEvent(2, "", null)) : null,
            },
            """{"name":"old","globalBatch":"many"}""");
        var end = phase == JobPhase.Stopped ? JobPhase.Stopped : JobPhase.Failed;
        var report = await Phase("old", end);
        if (end == JobPhase.Failed) Assert.Contains("taken by an earlier version", report!.Message, StringComparison.Ordinal);
        Assert.NotEmpty((await cluster.Job("old").Why())!.Findings);
        Assert.Contains(
            "globalBatch",
            (await Eventually.Is(() => cluster.Job("old").Resume(Callers.Admin), c => c!.Refusal!.Contains(
                "earlier version", StringComparison.Ordinal)))!.Refusal,
            StringComparison.Ordinal);
        await Eventually.Is(() => cluster.Job("old").Delete(Callers.Admin), c => c!.Refusal is null);
        Assert.Null(await cluster.Job("old").Status());
    }

    /// <summary>What a grain leaves behind that is lost as soon as it has stored its first generation.</summary>
    private async Task StoreRunning(string id, Func<JobState, JobState>? change = null, string? spec = null)
    {
        var leased = new LeasedSilo(cluster.AddressOf(0), cluster.SiloNames[0], 2);
        var queued = JobLifecycle.Submit(new JobState(), requeues: true, TimeProvider.System.GetUtcNow()).State;
        var record = new JobRecord
        {
            Submission = spec is null ? Specs.Lasting() : Specs.Lasting() with { SpecJson = spec },
            State = (change ?? (state => state))(JobLifecycle.Grant(queued, 1).State),
            Plan = [new SiloRanks(leased, [new PlacedRank(new(0), "cpu:0")])],
            Epoch = 1,
        };
        await storage.WriteStateAsync("job", cluster.Job(id).GetGrainId(), new GrainState<JobRecord>(record));
    }

    private async Task<EventLine?> StoredAnnouncement(string id)
    {
        var stored = new GrainState<JobRecord>();
        await storage.ReadStateAsync("job", cluster.Job(id).GetGrainId(), stored);
        return stored.State!.State.Announced;
    }

    private async Task<JobReport?> Ask(string id)
    {
        try
        {
            return await cluster.GrainsInSilo.GetGrain<IJobGrain>(id).Status();
        }
        catch (Exception e) when (e is OrleansException or TimeoutException)
        {
            return null;
        }
    }

    private async Task<IReadOnlyList<string>> Watch(string id)
    {
        var events = new List<string>();
        using var patience = new CancellationTokenSource(Soon);
        while (true)
        {
            var page = (await cluster.GrainsInSilo.GetGrain<IJobGrain>(id).ReadEvents(events.Count, 100, TimeSpan.FromSeconds(5))
                .WaitAsync(patience.Token))!;
            events.AddRange(page.Events.Select(e => e.Json));
            if (page.Final) return events;
            patience.Token.ThrowIfCancellationRequested();
        }
    }
}
