using Distributed.Core;
using Distributed.Core.Events;

namespace Distributed.Training.Loop;

/// <summary>A failure that already names its rank, silo, phase and step: passed on as it is.</summary>
public sealed class JobErrorException(JobError error) : JobException(error.Code, error.Message)
{
    public JobError Error { get; } = error;
}
