using System.Collections.Immutable;
using Distributed.Core.Jobs;
using Orleans.Concurrency;

namespace Distributed.Grains.Contracts;

/// <summary>What the coordinator must know to join the silos of a generation.</summary>
/// <param name="SpecJson">The job in canonical JSON.</param>
/// <param name="Silos">Names of the silos that vote, in rank order.</param>
/// <param name="StepDeadline">Longest wait for the last vote after the first.</param>
/// <param name="MeetDeadline">Longest wait for the last silo to come to the first meeting after the first one came.</param>
[GenerateSerializer, Immutable]
public sealed record GenerationSetup(
    [property: Id(0)] Generation Generation,
    [property: Id(1)] string SpecJson,
    [property: Id(2)] ImmutableArray<string> Silos,
    [property: Id(3)] TimeSpan StepDeadline,
    [property: Id(4)] TimeSpan MeetDeadline);
