using System.Collections.Immutable;
using Distributed.Core.Jobs;
using Orleans.Concurrency;

namespace Distributed.Grains.Contracts;

/// <summary>A job's state at a glance.</summary>
/// <param name="Step">Last step that was reported.</param>
/// <param name="Steps">Steps in all; 0 while unknown.</param>
/// <param name="Message">Why a queued job waits or a failed one ended; otherwise empty.</param>
/// <param name="Ranks">Of the generation that runs; 0 when none does.</param>
/// <param name="Silos">Names of the silos that run them, in rank order.</param>
/// <param name="Events">Events that can be read so far.</param>
/// <param name="LogLines">Lines of the log that can be read so far.</param>
[GenerateSerializer, Immutable]
public sealed record JobReport(
    [property: Id(0)] JobId Id,
    [property: Id(1)] string Name,
    [property: Id(2)] JobPhase Phase,
    [property: Id(3)] long Step,
    [property: Id(4)] long Steps,
    [property: Id(5)] Generation Generation,
    [property: Id(6)] string Message,
    [property: Id(7)] string User,
    [property: Id(8)] int Priority,
    [property: Id(9)] int Ranks,
    [property: Id(10)] ImmutableArray<string> Silos,
    [property: Id(20)] long Events = 0,
    [property: Id(21)] long LogLines = 0);

/// <summary>What became of a wish to change a job.</summary>
/// <param name="Refusal">Why nothing was done, with the remedy; null when it was.</param>
[GenerateSerializer, Immutable]
public sealed record JobChange([property: Id(0)] JobReport Report, [property: Id(1)] string? Refusal = null)
{
    /// <summary>The job is another user's; <see cref="Refusal"/> says whose.</summary>
    [Id(2)]
    public bool IsDenied { get; init; }

    /// <summary>The refusal passes by itself: in a moment the same call succeeds.</summary>
    [Id(3)]
    public bool IsPassing { get; init; }
}

/// <summary>One reason for a job's state.</summary>
/// <param name="Remedy">What its owner or the operator can do; empty when nothing is to be done.</param>
[GenerateSerializer, Immutable]
public sealed record JobFinding([property: Id(0)] string What, [property: Id(1)] string Remedy);

/// <param name="Findings">The weightiest first; never empty.</param>
[GenerateSerializer, Immutable]
public sealed record JobDiagnosis([property: Id(0)] JobReport Report, [property: Id(1)] ImmutableArray<JobFinding> Findings);
