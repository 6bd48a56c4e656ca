using System.Collections.Immutable;
using System.Globalization;
using Distributed.Core.Events;
using Distributed.Core.Samples;
using Distributed.Grains.Contracts;

namespace Distributed.Grains.Jobs;

// What the job's ranks and its own life leave behind: events for programs, a log for people.
internal sealed partial class JobGrain
{
    private const int LargestPage = 4096;

    /// <summary>Lines that an activation reads again of its journal; no batch has more.</summary>
    private const int Recent = 512;

    private readonly JobLog events = new(options.Value.EventsKept);
    private readonly JobLog jobLog = new(options.Value.EventsKept / 10);
    private Dictionary<(int Generation, string Source), long> nextOf = [];

    /// <summary>What an activation before this one wrote down last; the silo that sent it may not have heard that it did.</summary>
    private HashSet<string> writtenBefore = [];
    private bool opened;
    private bool deleting;
    private bool begun;

    /// <summary>The start of the generation, which is told once its data are known or something else is to be told.</summary>
    private JobEvent? opening;

    /// <summary>An activation before this one has told the start of the generation.</summary>
    private bool toldOpening;

    /// <summary>The log ends with the event of an ending.</summary>
    private bool endingKept;
    private long lastStep;
    private long totalSteps;

    /// <summary>Step events of the current generation.</summary>
    private long stepsNow;

    private bool Progressed => stepsNow > 0;

    private bool HasUnwritten => events.HasUnwritten || jobLog.HasUnwritten;

    public Task<EventPage?> ReadEvents(long from, int max, TimeSpan wait) => ReadFrom(events, from, max, wait);

    public Task<EventPage?> ReadLog(long from, int max, TimeSpan wait) => ReadFrom(jobLog, from, max, wait);

    public async Task Append(EventBatch batch)
    {
        if (State.Phase != JobPhase.Running || batch.Generation != State.Generation) return;
        var sequence = (batch.Generation, batch.Source);
        var known = nextOf.TryGetValue(sequence, out var next);
        for (var i = (int)Math.Max(0, next - batch.First); i < batch.Lines.Length; i++)
        {
            if (known || !writtenBefore.Contains(batch.Lines[i].Json)) Take(batch.Lines[i]);
        }

        nextOf[sequence] = Math.Max(next, batch.First + batch.Lines.Length);
        if (batch.TotalSteps > 0) totalSteps = batch.TotalSteps;
        await Flush();
    }

    private async Task<EventPage?> ReadFrom(JobLog log, long from, int max, TimeSpan wait)
    {
        if (store.State.Submission is null) return Nothing<EventPage>();
        // A grain leaves its silo when its calls have ended, and until then nobody else gets an answer: a reader asks again elsewhere.
        await log.WaitFor(from, wait < options.Value.LongestPoll ? wait : options.Value.LongestPoll, time, leaving.Token);
        // Deleted meanwhile.
        if (store.State.Submission is null) return null;
        return await UnlessDeleted(() => log.Read(from, Math.Clamp(max, 1, LargestPage)));
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

    private void Take(EventLine line)
    {
        lastStep = Math.Max(lastStep, line.Step);
        if (line.Step > 0) stepsNow++;
        if (EventLine.IsData(line)) LogOpening((JobEventJson.Read(line.Json) as DataEvent)?.Data);
        else if (line.Ending is null) LogLine(line);
        else store.State = store.State with { State = JobLifecycle.Announce(State, State.Generation, line).State };
    }

    private void Open(JobEvent start)
    {
        opening = start;
        if (EventText.Opening(start) is { } text) Note(text);
    }

    private void LogOpening(DataSummary? data = null)
    {
        if (opening is not { } start) return;
        opening = null;
        LogLine(EventLine.Of(start is StartedEvent started ? started with { Data = data } : (GenerationEvent)start with { Data = data }));
    }

    private void LogLine(EventLine line)
    {
        LogOpening();
        if (events.IsClosed) return;
        events.Append(line.Json);
        if (EventText.Of(line, totalSteps) is { } text) Note(text);
        if (line.Ending is null) return;
        events.Close();
        jobLog.Close();
    }

    private void Note(string text) => jobLog.Append(string.Create(
        CultureInfo.InvariantCulture, $"{time.GetUtcNow():yyyy-MM-dd'T'HH:mm:ss.fff'Z'} {text.ReplaceLineEndings(" ")}"));

    /// <summary>The job has ended, and the grain that was to say so was lost before it could write it down.</summary>
    private void LogEndingAgain()
    {
        events.Reopen();
        jobLog.Reopen();
        LogLine(ClosingLine());
    }

    private void ReopenLogs()
    {
        events.Reopen();
        jobLog.Reopen();
        Note("resumed");
    }

    /// <summary>A full disk holds up what is seen of the job, not the job.</summary>
    private async Task Flush()
    {
        // Until this activation has written the record, an earlier one's lines may still count.
        if (journals is not null && !begun) return;
        try
        {
            await events.Flush();
            await jobLog.Flush();
        }
        catch (IOException e)
        {
            LogNotWritten(e, Id);
            SettleSoon();
        }
    }

    private async Task OpenJournals()
    {
        if (journals is null || opened) return;
        opened = true;
        var closed = State.Phase.IsFinal();
        events.Attach(await journals.Open(Id, JournalKind.Events), closed);
        jobLog.Attach(await journals.Open(Id, JournalKind.Log), closed);
        if (store.State.Submission is not null) await RestoreProgress();
    }

    /// <summary>How far the job came, as the last events say.</summary>
    private async Task RestoreProgress()
    {
        var recent = await RecentLines();
        writtenBefore = [.. recent.Select(e => e.Json)];
        foreach (var jobEvent in Parse(recent))
        {
            endingKept = jobEvent is CompletedEvent or StoppedEvent or FailedEvent;
            toldOpening |= jobEvent switch
            {
                StartedEvent started => started.Generation == State.Generation,
                GenerationEvent next => next.Number == State.Generation,
                StepEvent reported => reported.Generation == State.Generation,
                _ => false,
            };
            if (jobEvent is StepEvent step)
            {
                lastStep = step.Step;
                if (step.Generation == State.Generation) stepsNow++;
            }
            else if (jobEvent is CompletedEvent completed)
            {
                lastStep = totalSteps = completed.Steps;
            }
        }

        if (totalSteps == 0 && Spec.Steps is { } planned) totalSteps = planned;
    }

    private async Task<IReadOnlyList<JobEvent>> RecentEvents() => [.. Parse(await RecentLines())];

    private async Task<ImmutableArray<NumberedEvent>> RecentLines() => (await events.Read(Math.Max(0, events.End - Recent), Recent)).Events;

    private static IEnumerable<JobEvent> Parse(ImmutableArray<NumberedEvent> lines) => lines.Select(e => JobEventJson.Read(e.Json)).OfType<JobEvent>();
}
