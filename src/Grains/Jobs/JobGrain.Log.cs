using Microsoft.Extensions.Logging;

namespace Distributed.Grains.Jobs;

internal sealed partial class JobGrain
{
    [LoggerMessage(3202, LogLevel.Warning, "Rank {Rank} of job {Job} could not be started on silo {Silo}; the job fails.")]
    private partial void LogStartFailed(Exception error, int rank, string silo, string job);

    [LoggerMessage(3201, LogLevel.Warning, "Rank {Rank} of job {Job} on silo {Silo} did not take the order to end; it ends with its silo or at its next vote.")]
    private partial void LogAbortFailed(Exception error, int rank, string silo, string job);
}
