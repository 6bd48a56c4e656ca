using Distributed.Core.Events;
using Distributed.Core.Jobs;

namespace Distributed.Training.Exchange;

/// <summary>A failure that already names its rank, silo, phase and step: passed on as it is.</summary>
public sealed class JobErrorException(JobError error, Exception? inner = null) : JobException(error.Code, error.Message, inner)
{
    public JobError Error { get; } = error;
}
