using Distributed.Grains.Contracts;

namespace Distributed.Grains.Jobs;

// Ranks report, clients read; the journal has what both say and see.
internal sealed partial class JobGrain
{
    private JobJournal? opened;

    private JobJournal Journal => opened ??= new JobJournal(Id, journals, options.Value.EventsKept, time);

    public Task<EventPage?> ReadEvents(long from, int max, TimeSpan wait) => ReadFrom(JournalKind.Events, from, max, wait);

    public Task<EventPage?> ReadLog(long from, int max, TimeSpan wait) => ReadFrom(JournalKind.Log, from, max, wait);

    public async Task Append(EventBatch batch)
    {
        if (State.Phase != JobPhase.Running || batch.Generation != State.Generation) return;
        if (Journal.Append(batch) is { } ending) await Apply(JobLifecycle.Announce(State, batch.Generation, ending));
        else await Flush();
    }

    private async Task<EventPage?> ReadFrom(JournalKind kind, long from, int max, TimeSpan wait)
    {
        if (store.State.Submission is null) return Nothing<EventPage>();
        // A grain leaves its silo when its calls have ended, and until then nobody else gets an answer: a reader asks again elsewhere.
        await Journal.WaitFor(kind, from, wait < options.Value.LongestPoll ? wait : options.Value.LongestPoll, leaving.Token);
        // Deleted meanwhile.
        if (store.State.Submission is null) return null;
        return await Journal.Read(kind, from, max);
    }

    private Task OpenJournal(bool isNew = false) => Journal.Open(State, isNew, () => Spec.Steps);

    /// <summary>A full disk holds up what is seen of the job, not the job.</summary>
    private async Task Flush()
    {
        try
        {
            await Journal.Flush();
        }
        catch (IOException e)
        {
            LogNotWritten(e, Id);
            SettleSoon();
        }
    }
}
