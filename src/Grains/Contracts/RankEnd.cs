using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Orleans.Concurrency;

namespace Distributed.Grains.Contracts;

/// <summary>How the thread of a rank ended.</summary>
public enum RankOutcome
{
    Completed,
    Stopped,
    Failed,
}

/// <param name="Error">Set when failed; the rank at fault, which need not be this one.</param>
[GenerateSerializer, Immutable]
public sealed record RankEnd(
    [property: Id(0)] Generation Generation,
    [property: Id(1)] Rank Rank,
    [property: Id(2)] RankOutcome Outcome,
    [property: Id(3)] JobError? Error);
