using Distributed.Core.Events;
using Distributed.Core.Jobs;

namespace Distributed.Training.Loop;

/// <summary>How a rank's thread ended.</summary>
/// <param name="Ending">completed, stopped or failed.</param>
/// <param name="Error">Set when failed; the rank at fault, which need not be this one.</param>
public sealed record RankResult(Rank Rank, RankEnding Ending, JobError? Error);

public enum RankEnding
{
    Completed,
    Stopped,
    Failed,
}
