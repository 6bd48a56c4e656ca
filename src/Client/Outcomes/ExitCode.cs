using Distributed.Core.Jobs;

namespace Distributed.Client.Outcomes;

/// <summary>What <c>dtrain</c> tells the shell.</summary>
internal static class ExitCode
{
    public const int Done = 0;
    public const int Failed = 1;
    public const int Usage = 2;
    public const int Unreachable = 3;
    public const int NoSuchJob = 4;
    public const int Interrupted = 130;

    /// <summary>Nobody reads stdout any more: what a shell shows for a program that SIGPIPE ended.</summary>
    public const int ReaderGone = 141;

    /// <summary>Usage for a job that could never have run as asked, otherwise a failure.</summary>
    public static int Of(string errorCode) => errorCode is
        ErrorCodes.SpecInvalid or ErrorCodes.PathMissing or ErrorCodes.CheckpointExists or ErrorCodes.ResumeMismatch ? Usage : Failed;
}
