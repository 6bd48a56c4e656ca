namespace Distributed.Core.Users;

/// <summary>One user of a cluster, as the operator let him in.</summary>
/// <param name="TokenSha256">SHA-256 of the token's UTF-8 bytes, lower-case hex; the token itself is not kept.</param>
public sealed record UserEntry(string Name, UserRole Role, string TokenSha256)
{
    public const int LeastPriority = -1000;
    public const int MostPriority = 1000;
    public const int DefaultQueued = 2000;

    /// <summary>Ranks that all running jobs of the user may have together.</summary>
    /// <value>Null: no bound.</value>
    public int? Ranks { get; init; }

    /// <summary>Jobs of the user that may run at once.</summary>
    /// <value>Null: no bound.</value>
    public int? Jobs { get; init; }

    /// <summary>Jobs of the user that may wait in the queue; a submission beyond is refused.</summary>
    /// <value>Null: <see cref="DefaultQueued"/>.</value>
    public int? Queued { get; init; }

    /// <summary>How long the ranks of one job of the user may run, whatever the job says.</summary>
    /// <value>Null: as long as the cluster lets any job.</value>
    public TimeSpan? Run { get; init; }

    /// <summary>Bytes that the user's jobs may take on the jobs' volume together: checkpoints, events, logs.</summary>
    /// <value>Null: as the cluster lets any user.</value>
    public long? Disk { get; init; }

    /// <summary>Largest priority that the user may give a job; an admin may give any.</summary>
    public int MaxPriority { get; init; }
}
