namespace Distributed.Core.Jobs;

/// <summary>The words that <see cref="JobException.Code"/> and failed events use.</summary>
public static class ErrorCodes
{
    /// <summary>The job file or an option is wrong (exit code 2).</summary>
    public const string SpecInvalid = "spec-invalid";

    /// <summary>A file or folder that the job names does not exist (exit code 2).</summary>
    public const string PathMissing = "path-missing";

    /// <summary>A data file's content is wrong (exit code 1).</summary>
    public const string DataInvalid = "data-invalid";

    /// <summary>A checkpoint's content is wrong, or it belongs to another job (exit code 1).</summary>
    public const string CheckpointInvalid = "checkpoint-invalid";

    /// <summary>The directory already holds a run and resuming was not asked for (exit code 2).</summary>
    public const string CheckpointExists = "checkpoint-exists";

    /// <summary>Resuming with a job that differs in what may not change (exit code 2).</summary>
    public const string ResumeMismatch = "resume-mismatch";

    /// <summary>Too many skipped steps, a scaler at its floor, or weights or an evaluation that are not finite.</summary>
    public const string NonFinite = "non-finite";

    /// <summary>A wait outlived its deadline.</summary>
    public const string Deadline = "deadline";

    /// <summary>The job waited or ran longer than its own limit.</summary>
    public const string LimitExceeded = "limit-exceeded";

    /// <summary>The job needs more memory than the silo may use.</summary>
    public const string Memory = "memory";

    /// <summary>Replicas disagree where they must be equal.</summary>
    public const string Divergence = "divergence";

    /// <summary>A native library is missing, of the wrong version or failed its self-test.</summary>
    public const string Native = "native";

    /// <summary>A write did not succeed: full disk, missing rights.</summary>
    public const string Storage = "storage";

    /// <summary>A user of a cluster has as many jobs in the queue, or as much on disk, as he may have.</summary>
    public const string Quota = "quota";

    /// <summary>
    /// The job is over, or was told to end, and its ranks have not left their silos yet: in a moment the same call succeeds.
    /// </summary>
    public const string StillEnding = "still-ending";

    /// <summary>The process that ran the job ended before the job did.</summary>
    public const string SiloLost = "silo-lost";

    /// <summary>Something that no code foresaw.</summary>
    public const string Internal = "internal";

    /// <summary>No fault of the job: on other silos, or later, it would go on.</summary>
    public static bool IsLoss(string code) => code is SiloLost or Deadline;
}
