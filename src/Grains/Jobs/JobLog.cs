using System.Collections.Immutable;
using Distributed.Grains.Contracts;

namespace Distributed.Grains.Jobs;

/// <summary>
/// Numbered lines of a job: the last ones in memory, all of them in the journal where there is one. A line is seen once
/// it outlives the silo.
/// </summary>
/// <param name="capacity">Lines kept in memory.</param>
internal sealed class JobLog(int capacity) : IAsyncDisposable
{
    private EventLog memory = new(capacity);
    private IJobJournal? journal;
    private long written;
    private TaskCompletionSource? news;

    /// <summary>Number that the next line to be seen will get.</summary>
    public long End => journal is null ? memory.End : written;

    /// <summary>Of the journal's last writer.</summary>
    public long Epoch => journal?.Epoch ?? 0;

    /// <summary>No more lines are to be expected.</summary>
    public bool IsClosed { get; private set; }

    /// <summary>No line was ever added.</summary>
    public bool IsEmpty => memory.End == 0;

    public bool HasUnwritten => journal is not null && written < memory.End;

    /// <summary>Goes on where the journal ends; before the first line.</summary>
    public void Attach(IJobJournal opened, bool closed)
    {
        (journal, written, IsClosed) = (opened, opened.End, closed);
        memory = new EventLog(capacity, opened.End);
    }

    public Task Begin(long epoch) => journal?.Begin(epoch) ?? Task.CompletedTask;

    /// <summary>Adds a line; with a journal it is seen after the next <see cref="Flush"/>.</summary>
    public void Append(string line)
    {
        memory.Append(line);
        if (journal is null) Tell();
    }

    public void Close()
    {
        IsClosed = true;
        if (journal is null) Tell();
    }

    public void Reopen() => IsClosed = false;

    /// <summary>Ends all waits.</summary>
    public void Wake()
    {
        IsClosed = true;
        Tell();
    }

    /// <exception cref="IOException">The lines stay, to be written the next time.</exception>
    public async Task Flush()
    {
        while (journal is not null && written < memory.End)
        {
            if (memory.First > written) Renumber();
            var lines = memory.Read(written, int.MaxValue);
            await journal.Append([.. lines.Select(l => l.Json)]);
            written += lines.Length;
        }

        // The journal has them all, and of a job that has ended few are asked for again.
        if (IsClosed && journal is not null && memory.First < written) memory = new EventLog(capacity, written);
        Tell();
    }

    /// <summary>Waits until there are lines from a number on, or the log is closed, or the time is over.</summary>
    /// <param name="leaving">Ends the wait.</param>
    public async Task WaitFor(long from, TimeSpan longest, TimeProvider time, CancellationToken leaving)
    {
        var started = time.GetTimestamp();
        while (End <= from && !(IsClosed && !HasUnwritten) && !leaving.IsCancellationRequested)
        {
            var left = longest - time.GetElapsedTime(started);
            if (left <= TimeSpan.Zero) break;
            news ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await news.Task.WaitAsync(left, time, leaving)
                .ConfigureAwait(ConfigureAwaitOptions.ContinueOnCapturedContext | ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public async Task<EventPage> Read(long from, int max)
    {
        var end = End;
        ImmutableArray<NumberedEvent> page;
        if (journal is not null && from < memory.First)
        {
            var start = Math.Max(from, 0);
            page = [.. (await journal.Read(start, max)).Select((line, i) => new NumberedEvent(start + i, line))];
        }
        else
        {
            page = memory.Read(from, (int)Math.Min(max, Math.Max(0, end - from)));
        }

        var next = page.Length > 0 ? page[^1].Number + 1 : Math.Max(from, end);
        return new EventPage(page, IsClosed && !HasUnwritten && next >= End);
    }

    public ValueTask DisposeAsync() => journal?.DisposeAsync() ?? ValueTask.CompletedTask;

    /// <summary>What was forgotten before it could be written leaves no gap in the numbers; nobody has seen those that follow.</summary>
    private void Renumber()
    {
        var kept = memory.Read(memory.First, int.MaxValue);
        memory = new EventLog(capacity, written);
        foreach (var line in kept) memory.Append(line.Json);
    }

    private void Tell()
    {
        news?.TrySetResult();
        news = null;
    }
}
