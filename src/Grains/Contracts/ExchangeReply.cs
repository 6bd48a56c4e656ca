using Distributed.Core.Events;
using Orleans.Concurrency;

namespace Distributed.Grains.Contracts;

/// <summary>Either the sum of a slice or why there is none; exactly one is set.</summary>
[GenerateSerializer, Immutable]
public sealed record ExchangeReply([property: Id(0)] ExchangeChunk? Sum, [property: Id(1)] JobError? Error);
