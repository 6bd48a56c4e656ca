using System.Collections.Immutable;
using Distributed.Core.Jobs;

namespace Distributed.Grains.Contracts;

/// <summary>What of a job is written down line by line.</summary>
public enum JournalKind
{
    /// <summary>One JSON object per line.</summary>
    Events,

    /// <summary>One sentence per line.</summary>
    Log,
}

/// <summary>Where jobs' lines are kept so that they outlive the silo that wrote them; the host may bring one.</summary>
public interface IJobJournals
{
    /// <summary>Opens what there is; the caller disposes.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    Task<IJobJournal> Open(JobId jobId, JournalKind kind);

    /// <summary>Writes down whose the job's folder is and what was submitted, so that the job outlives its record.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    Task Keep(JobId jobId, JobSubmission submission);

    /// <summary>What the job's folder says of itself.</summary>
    /// <returns>Null: there is no folder, or nothing in it.</returns>
    /// <exception cref="IOException">It cannot be read.</exception>
    Task<KeptJob?> Recall(JobId jobId);

    /// <summary>Bytes of all that lies in the job's own folder.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    Task<long> Size(JobId jobId);

    /// <summary>Removes a job's journals and all else that lies in its own folder.</summary>
    /// <exception cref="IOException">Not all of it could be removed, or it belongs to another cluster.</exception>
    Task Delete(JobId jobId);
}

/// <param name="Cluster">Whose it is; null: it does not say, as one that no silo made.</param>
/// <param name="Submission">Null for another cluster's.</param>
public sealed record KeptJob(string? Cluster, JobSubmission? Submission);

/// <summary>Numbered lines of one job. Used by one caller at a time.</summary>
public interface IJobJournal : IAsyncDisposable
{
    /// <summary>Lines there are.</summary>
    long End { get; }

    /// <summary>The largest epoch that anybody has begun; 0: none.</summary>
    long Epoch { get; }

    /// <summary>Begins a part of one's own, after which an older part's late lines no longer count.</summary>
    /// <param name="epoch">Larger than any before; a writer with a smaller one was superseded.</param>
    Task Begin(long epoch);

    /// <summary>Adds lines; they outlive this process once it returns.</summary>
    /// <exception cref="IOException">None of them was added, as on a full disk.</exception>
    Task Append(IReadOnlyList<string> lines);

    /// <returns>Lines from a number on, at most <paramref name="count"/>.</returns>
    Task<ImmutableArray<string>> Read(long from, int count);
}
