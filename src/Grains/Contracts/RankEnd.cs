using Distributed.Core.Events;
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
    [property: Id(0)] int Generation,
    [property: Id(1)] int Rank,
    [property: Id(2)] RankOutcome Outcome,
    [property: Id(3)] JobError? Error);
