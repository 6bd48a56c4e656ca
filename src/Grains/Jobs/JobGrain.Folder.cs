using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Grains.Contracts;

namespace Distributed.Grains.Jobs;

// The job's folder outlives its record: a store that lost its rows loses no job.
internal sealed partial class JobGrain
{
    private const string RecordLost = "its record was lost";

    /// <summary>Why the folder of this id may not be used; null: it may.</summary>
    private string? stranger;

    /// <summary>The folder says what was submitted.</summary>
    private bool isKept;

    /// <summary>The record was made again of what the folder says; the queue does not know of the job yet.</summary>
    private bool recalled;

    private bool IsRecalled => State is { Phase: JobPhase.Stopped, Reason: RecordLost };

    private async Task RecallFolder()
    {
        isKept = journals is null;
        if (journals is null) return;
        KeptJob? folder;
        try
        {
            folder = await journals.Recall(Id);
        }
        catch (IOException e) when (store.State.Submission is not null)
        {
            // The record says all that the file would; it is written again.
            LogNotRecalled(e, Id);
            return;
        }

        if (folder is null) return;
        isKept = folder.Submission is not null;
        if (folder.Submission is null && (store.State.Submission is null || folder.Cluster is not null)) stranger = Refuse(folder);
        if (store.State.Submission is null && folder.Submission is { } submission) await Restore(submission);
        else if (store.State.Submission is not null && stranger is not null) throw new JobException(ErrorCodes.Storage, stranger);
    }

    private string Refuse(KeptJob folder) => folder.Cluster is { } cluster
        ? $"The folder {Id} under the jobs root belongs to a job of cluster '{cluster}'; choose another id."
        : $"The folder {Id} under the jobs root holds files but no job.json that says whose they are; move it away, or choose another id.";

    /// <summary>A job without a record, of which the folder is left: it is stopped where it was, or has ended as its events say.</summary>
    private async Task Restore(JobSubmission submission)
    {
        store.State = new JobRecord { Submission = submission };
        try
        {
            await OpenJournal();
            var state = StateAsOf(await Journal.RecentEvents() ?? [], submission);
            await Store(new JobRecord { Submission = submission, State = state, Epoch = Journal.Epoch });
        }
        catch
        {
            store.State = new JobRecord();
            throw;
        }

        recalled = true;
        if (Journal.HasEnding) Journal.Close();
        else Journal.Note($"{RecordLost} with the store; stopped after step {Journal.LastStep}");
    }

    private JobState StateAsOf(IReadOnlyList<JobEvent> recent, JobSubmission submission)
    {
        var generation = recent.Select(e => e switch { StartedEvent s => s.Generation, GenerationEvent g => g.Number, StepEvent s => s.Generation, _ => Generation.None }).Append(Generation.None).Max();
        var ending = Journal.HasEnding ? recent[^1] : new StoppedEvent(Journal.LastStep, "", null);
        return new JobState
        {
            Phase = EventLine.Of(ending).Ending!.Value,
            Announced = ending is FailedEvent ? null : EventLine.Of(ending),
            Failure = (ending as FailedEvent)?.Error,
            // One beyond what was told: its silos may have begun a generation that had not told of itself yet.
            Generation = generation.Next,
            Requeues = submission.Options.Requeue,
            MostLosses = Spec.Limits?.Losses,
            Resume = true,
            Reason = RecordLost,
            Since = time.GetUtcNow(),
        };
    }

    /// <summary>A full disk holds up no job: written later.</summary>
    private async Task Keep()
    {
        if (isKept || journals is null || store.State.Submission is not { } submission) return;
        try
        {
            await journals.Keep(Id, submission);
            isKept = true;
        }
        catch (IOException e)
        {
            LogNotWritten(e, Id);
            SettleSoon();
        }
    }
}
