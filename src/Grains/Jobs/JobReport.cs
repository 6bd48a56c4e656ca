using Orleans.Concurrency;

namespace Distributed.Grains.Jobs;

/// <summary>A job's state at a glance.</summary>
/// <param name="Step">Last step that was reported.</param>
/// <param name="Steps">Steps in all; 0 while unknown.</param>
/// <param name="Message">Why a queued job waits or a failed one ended; otherwise empty.</param>
[GenerateSerializer, Immutable]
public sealed record JobReport(
    [property: Id(0)] string Id,
    [property: Id(1)] string Name,
    [property: Id(2)] JobPhase Phase,
    [property: Id(3)] long Step,
    [property: Id(4)] long Steps,
    [property: Id(5)] int Generation,
    [property: Id(6)] string Message);
