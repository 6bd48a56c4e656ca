using Distributed.Core.Events;

namespace Distributed.Training.Loop;

/// <summary>The job ended elsewhere, and its error is known to the last field: it passes on unchanged.</summary>
public sealed class DescribedFailureException(JobError error, Exception? inner = null) : Exception(error.Message, inner)
{
    public JobError Error { get; } = error;
}
