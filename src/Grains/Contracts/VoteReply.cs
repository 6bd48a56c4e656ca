using Distributed.Core.Events;
using Distributed.Core.Stepping;
using Orleans.Concurrency;

namespace Distributed.Grains.Contracts;

/// <summary>Either the decision or why there is none; exactly one is set.</summary>
[GenerateSerializer, Immutable]
public sealed record VoteReply([property: Id(0)] StepDecision? Decision, [property: Id(1)] JobError? Error);
