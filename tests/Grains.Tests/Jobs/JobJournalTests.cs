using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Core.Samples;
using Distributed.Grains.Contracts;
using Distributed.Grains.Jobs;
using Distributed.Grains.Tests.Cluster;

namespace Distributed.Grains.Tests.Jobs;

/// <summary>What a job's grain keeps of its ranks' events, without the grain.</summary>
public sealed class JobJournalTests
{
    private static readonly DataSummary Data = new(8, 2, 10, 0, "abc");

    private static StepEvent Step(long step, int generation = 1) =>
        new(step, 0, 1, 8, 0.1, 1, 0, false, step, 1, new(generation), 0.1, new PhaseSeconds(0, 0, 0, 0, 0, 0));

    private static StartedEvent Started(int generation = 1) => new(JobId.Parse("job"), new(generation), []);

    private static EventBatch Batch(long first, params JobEvent[] events) =>
        new(new(1), "silo-0", first, [.. events.Select(EventLine.Of)], 9);

    private static async Task<IReadOnlyList<JobEvent>> Events(JobJournal journal) =>
        [.. (await journal.Read(JournalKind.Events, 0, 100))!.Events.Select(e => JobEventJson.Read(e.Json)!)];

    private static JobJournal Journal(IJobJournals? places = null) => new(JobId.Parse("job"), places, 100, TimeProvider.System);

    [Fact]
    public async Task Append_DataAfterTheOpening_TellsTheStartWithThem()
    {
        await using var journal = Journal();
        journal.Open(Started());
        Assert.Empty(await Events(journal));
        Assert.Null(journal.Append(Batch(0, new DataEvent(Data), Step(1))));
        var events = await Events(journal);
        Assert.Equal(Data, Assert.IsType<StartedEvent>(events[0]).Data);
        Assert.Equal((2, 1, 9, true), (events.Count, journal.LastStep, journal.TotalSteps, journal.Progressed));
    }

    [Fact]
    public async Task Append_SameLinesAgain_AddsTheNewOnesOnly()
    {
        await using var journal = Journal();
        journal.Append(Batch(0, Step(1), Step(2)));
        journal.Append(Batch(1, Step(2), Step(3)));
        Assert.Equal([1, 2, 3], (await Events(journal)).Cast<StepEvent>().Select(step => step.Step));
    }

    [Fact]
    public async Task Append_AnEnding_IsReturnedAndNotToldYet()
    {
        await using var journal = Journal();
        var ending = journal.Append(Batch(0, Step(1), new StoppedEvent(1, "ff", null)));
        Assert.Equal(JobPhase.Stopped, ending!.Ending);
        Assert.Single(await Events(journal));
        journal.Add(ending);
        Assert.IsType<StoppedEvent>((await Events(journal))[^1]);
        Assert.True((await journal.Read(JournalKind.Events, 0, 100))!.Final);
        // The journal has ended: nothing comes behind.
        journal.Add(EventLine.Of(Step(2)));
        Assert.Equal(2, (await Events(journal)).Count);
    }

    [Fact]
    public async Task Append_AnEndingAndAFailureBehindIt_ReturnsTheEnding()
    {
        await using var journal = Journal();
        var ending = journal.Append(
            Batch(0, new StoppedEvent(1, "ff", null), new FailedEvent(new JobError("internal", "late", new(0), null, null, null))));
        Assert.Equal(JobPhase.Stopped, ending!.Ending);
        Assert.Empty(await Events(journal));
    }

    [Fact]
    public async Task AddEndingAgain_OfAJobThatHadEnded_ReopensForItAlone()
    {
        await using var journal = Journal();
        journal.Close();
        journal.Add(EventLine.Of(Step(1)));
        Assert.Empty(await Events(journal));
        journal.AddEndingAgain(EventLine.Of(new StoppedEvent(1, "ff", null)));
        Assert.IsType<StoppedEvent>(Assert.Single(await Events(journal)));
        journal.Reopen();
        journal.Add(EventLine.Of(Step(2)));
        Assert.Equal(2, (await Events(journal)).Count);
    }

    [Fact]
    public async Task OpenLater_SomethingElseIsTold_TellsTheStartFirst()
    {
        await using var journal = Journal();
        journal.OpenLater(Started(2));
        journal.Add(EventLine.Of(Step(1, 2)));
        Assert.Equal([typeof(StartedEvent), typeof(StepEvent)], (await Events(journal)).Select(e => e.GetType()));
    }

    [Fact]
    public async Task BeginGeneration_StepsOfTheOneBefore_AreNoProgress()
    {
        await using var journal = Journal();
        journal.Append(Batch(0, Step(1)));
        journal.BeginGeneration();
        Assert.False(journal.Progressed);
        // A silo counts its lines anew in each generation.
        journal.Append(Batch(0, Step(1)));
        Assert.Equal(2, (await Events(journal)).Count);
    }

    [Fact]
    public async Task Flush_BeforeTheRecordIsWritten_WritesNothing()
    {
        FakeJournals places = new();
        await using (var journal = Journal(places))
        {
            await journal.Open(new JobState(), isNew: true, () => null);
            journal.Add(EventLine.Of(Step(1)));
            await journal.Flush();
            Assert.True(journal.HasUnwritten);
            await journal.Begin(1);
            await journal.Flush();
            Assert.False(journal.HasUnwritten);
        }

        await using var next = Journal(places);
        await next.Open(new JobState { Generation = new(1) }, isNew: false, () => 7);
        Assert.Equal((1, 7, true, true), (next.LastStep, next.TotalSteps, next.Progressed, next.HasOpening));
        // The silo that sent it may not have heard that it was written.
        next.Append(Batch(0, Step(1), Step(2)));
        await next.Begin(2);
        await next.Flush();
        Assert.Equal(2, next.EventsEnd);
    }

    [Fact]
    public async Task Delete_WhileSomebodyWaits_EndsTheWait()
    {
        FakeJournals places = new();
        await using var journal = Journal(places);
        await journal.Open(new JobState(), isNew: true, () => null);
        await journal.Begin(1);
        journal.Add(EventLine.Of(Step(1)));
        await journal.Flush();
        var waiting = journal.WaitFor(JournalKind.Events, 5, TimeSpan.FromMinutes(5), CancellationToken.None);
        await journal.Delete();
        Assert.False(waiting.IsCompleted);
        journal.Wake();
        await waiting;
        Assert.True((await journal.Read(JournalKind.Events, 5, 100))!.Final);
    }
}
