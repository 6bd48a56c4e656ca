using System.Collections.Immutable;
using System.Globalization;
using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Core.Samples;
using Distributed.Grains.Contracts;

namespace Distributed.Grains.Jobs;

/// <summary>
/// What a job's ranks and its own life leave behind: events for programs, a log for people, and how far the job came by them.
/// </summary>
/// <param name="places">Where both outlive the silo; null: nowhere.</param>
/// <param name="eventsKept">Events kept in memory.</param>
internal sealed class JobJournal(JobId jobId, IJobJournals? places, int eventsKept, TimeProvider time) : IAsyncDisposable
{
    private const int LargestPage = 4096;

    /// <summary>Lines that an activation reads again of its journal; no batch has more.</summary>
    private const int Recent = 512;

    private readonly JobLog events = new(eventsKept);
    private readonly JobLog log = new(eventsKept / 10);
    private Dictionary<(Generation Generation, string Source), long> nextOf = [];

    /// <summary>What an activation before this one wrote down last; the silo that sent it may not have heard that it did.</summary>
    private HashSet<string> writtenBefore = [];
    private bool opened;
    private bool deleting;

    /// <summary>The start of the generation, which is told once its data are known or something else is to be told.</summary>
    private JobEvent? opening;

    /// <summary>Step events of the current generation.</summary>
    private long stepsNow;

    /// <summary>Until this activation has written the job's record, an earlier one's lines may still count.</summary>
    public bool HasBegun { get; private set; }

    /// <summary>The events end with that of an ending.</summary>
    public bool HasEnding { get; private set; }

    /// <summary>An activation before this one has told the start of the generation.</summary>
    public bool HasOpening { get; private set; }

    public bool HasUnwritten => events.HasUnwritten || log.HasUnwritten;

    public bool IsEmpty => events.IsEmpty;

    /// <summary>Last step that was reported.</summary>
    public long LastStep { get; private set; }

    /// <value>0 while unknown.</value>
    public long TotalSteps { get; private set; }

    /// <summary>The current generation has reported a step.</summary>
    public bool Progressed => stepsNow > 0;

    /// <summary>Number that the next event to be seen will get.</summary>
    public long EventsEnd => events.End;

    /// <summary>Number that the next line of the log to be seen will get.</summary>
    public long LogEnd => log.End;

    /// <summary>Of the last activation that wrote.</summary>
    public long Epoch => Math.Max(events.Epoch, log.Epoch);

    /// <summary>Goes on where the job's files end. Once; before anything is added.</summary>
    /// <param name="isNew">Nothing was submitted before: there is nothing to read.</param>
    /// <param name="plannedSteps">Steps in all, where the job file says so.</param>
    /// <exception cref="IOException">They cannot be read.</exception>
    public async Task Open(JobState state, bool isNew, Func<long?> plannedSteps)
    {
        if (places is null || opened) return;
        opened = true;
        var closed = state.Phase.IsFinal();
        events.Attach(await places.Open(jobId, JournalKind.Events), closed);
        log.Attach(await places.Open(jobId, JournalKind.Log), closed);
        if (isNew) return;
        await RestoreProgress(state.Generation);
        if (TotalSteps == 0 && plannedSteps() is { } planned) TotalSteps = planned;
    }

    /// <summary>From here on this activation writes.</summary>
    public async Task Begin(long epoch)
    {
        HasBegun = true;
        await events.Begin(epoch);
        await log.Begin(epoch);
    }

    public void BeginGeneration() => (stepsNow, nextOf, writtenBefore) = (0, [], []);

    /// <summary>
    /// Tells the start of a generation: to people now, to programs once its data are known or something else is to be told.
    /// </summary>
    public void Open(JobEvent start)
    {
        OpenLater(start);
        if (EventText.Opening(start) is { } text) Note(text);
    }

    /// <summary>Tells programs of a start that still waits for its data.</summary>
    public void TellOpening() => AddOpening();

    /// <summary>As <see cref="Open(JobEvent)"/>, but people were told before.</summary>
    public void OpenLater(JobEvent start) => opening = start;

    /// <summary>Adds what a silo sent, without what is there already.</summary>
    /// <returns>
    /// The line that announces that the ranks completed or stopped; null: there was none. How they failed, their own ends say.
    /// </returns>
    public EventLine? Append(EventBatch batch)
    {
        EventLine? announced = null;
        var sequence = (batch.Generation, batch.Source);
        var known = nextOf.TryGetValue(sequence, out var next);
        for (var i = (int)Math.Max(0, next - batch.First); i < batch.Lines.Length; i++)
        {
            if (known || !writtenBefore.Contains(batch.Lines[i].Json)) announced = Take(batch.Lines[i]) ?? announced;
        }

        nextOf[sequence] = Math.Max(next, batch.First + batch.Lines.Length);
        if (batch.TotalSteps > 0) TotalSteps = batch.TotalSteps;
        return announced;
    }

    /// <summary>Adds an event; one that ends the job ends both.</summary>
    public void Add(EventLine line)
    {
        AddOpening();
        if (events.IsClosed) return;
        events.Append(line.Json);
        if (EventText.Of(line, TotalSteps) is { } text) Note(text);
        if (line.Ending is null) return;
        Close();
    }

    /// <summary>Adds the ending of a job whose grain was lost before it could write that down.</summary>
    public void AddEndingAgain(EventLine ending)
    {
        events.Reopen();
        log.Reopen();
        Add(ending);
    }

    /// <summary>Adds a line for people.</summary>
    public void Note(string text) => log.Append(string.Create(
        CultureInfo.InvariantCulture, $"{time.GetUtcNow():yyyy-MM-dd'T'HH:mm:ss.fff'Z'} {text.ReplaceLineEndings(" ")}"));

    public void Reopen()
    {
        events.Reopen();
        log.Reopen();
        Note("resumed");
    }

    public void Close()
    {
        events.Close();
        log.Close();
    }

    /// <summary>Writes down what is not written yet.</summary>
    /// <exception cref="IOException">The lines stay, to be written the next time.</exception>
    public async Task Flush()
    {
        if (places is not null && !HasBegun) return;
        await events.Flush();
        await log.Flush();
    }

    /// <summary>Waits until there are lines from a number on, or all have come, or the time is over.</summary>
    /// <param name="leaving">Ends the wait.</param>
    public Task WaitFor(JournalKind kind, long from, TimeSpan longest, CancellationToken leaving) =>
        Of(kind).WaitFor(from, longest, time, leaving);

    /// <returns>Null: the job was deleted meanwhile.</returns>
    public Task<EventPage?> Read(JournalKind kind, long from, int max) =>
        UnlessDeleted(() => Of(kind).Read(from, Math.Clamp(max, 1, LargestPage)));

    /// <returns>Null: the job was deleted meanwhile.</returns>
    public Task<IReadOnlyList<JobEvent>?> RecentEvents() =>
        UnlessDeleted<IReadOnlyList<JobEvent>>(async () => [.. Parse(await RecentLines())]);

    /// <summary>Removes the job's files, and all else in its folder.</summary>
    /// <exception cref="IOException">Not all of it could be removed.</exception>
    public async Task Delete()
    {
        deleting = true;
        try
        {
            await DisposeAsync();
            if (places is not null) await places.Delete(jobId);
        }
        catch (IOException)
        {
            deleting = false;
            throw;
        }
    }

    /// <summary>Ends all waits: nothing more comes.</summary>
    public void Wake()
    {
        events.Wake();
        log.Wake();
    }

    public async ValueTask DisposeAsync()
    {
        await events.DisposeAsync();
        await log.DisposeAsync();
    }

    private JobLog Of(JournalKind kind) => kind == JournalKind.Events ? events : log;

    private EventLine? Take(EventLine line)
    {
        LastStep = Math.Max(LastStep, line.Step);
        if (line.Step > 0) stepsNow++;
        if (EventLine.IsData(line)) AddOpening((JobEventJson.Read(line.Json) as DataEvent)?.Data);
        else if (line.Ending is JobPhase.Completed or JobPhase.Stopped) return line;
        else if (line.Ending is not null) return null;
        else Add(line);
        return null;
    }

    private void AddOpening(DataSummary? data = null)
    {
        if (opening is not { } start) return;
        opening = null;
        Add(EventLine.Of(start is StartedEvent started ? started with { Data = data } : (GenerationEvent)start with { Data = data }));
    }

    /// <summary>How far the job came, as the last events say.</summary>
    private async Task RestoreProgress(Generation generation)
    {
        var recent = await RecentLines();
        writtenBefore = [.. recent.Select(e => e.Json)];
        foreach (var jobEvent in Parse(recent))
        {
            HasEnding = jobEvent is CompletedEvent or StoppedEvent or FailedEvent;
            HasOpening |= jobEvent switch
            {
                StartedEvent started => started.Generation == generation,
                GenerationEvent next => next.Number == generation,
                StepEvent reported => reported.Generation == generation,
                _ => false,
            };
            if (jobEvent is StepEvent step)
            {
                LastStep = step.Step;
                if (step.Generation == generation) stepsNow++;
            }
            else if (jobEvent is CompletedEvent completed)
            {
                LastStep = TotalSteps = completed.Steps;
            }
        }
    }

    /// <summary>Reads interleave with everything, also with the job's deletion, which takes their files away.</summary>
    private async Task<T?> UnlessDeleted<T>(Func<Task<T>> read)
        where T : class
    {
        try
        {
            return await read();
        }
        catch (Exception e) when (deleting && e is IOException or ObjectDisposedException)
        {
            return null;
        }
    }

    private async Task<ImmutableArray<NumberedEvent>> RecentLines() => (await events.Read(Math.Max(0, events.End - Recent), Recent)).Events;

    private static IEnumerable<JobEvent> Parse(ImmutableArray<NumberedEvent> lines) =>
        lines.Select(e => JobEventJson.Read(e.Json)).OfType<JobEvent>();
}
