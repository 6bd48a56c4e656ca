using Orleans.Concurrency;

namespace Distributed.Grains.Contracts;

/// <summary>A job and how to run it, as its owner handed it in.</summary>
/// <param name="SpecJson">The valid, resolved job in canonical JSON; equal jobs have equal text.</param>
/// <param name="User">Whose job it is; empty for the one client of a silo of its own.</param>
[GenerateSerializer, Immutable]
public sealed record JobSubmission(
    [property: Id(0)] string SpecJson, [property: Id(1)] RunOptions Options, [property: Id(2)] string User = "");

/// <summary>How one run of a job goes; no part of the job's content.</summary>
[GenerateSerializer, Immutable]
public sealed record RunOptions
{
    /// <value>0: as many as slots, micro-batches and workers.max allow. More than the slots: they share cores.</value>
    [Id(0)]
    public int Ranks { get; init; }

    /// <summary>Continue from the last valid checkpoint; without one, start afresh.</summary>
    [Id(1)]
    public bool Resume { get; init; }

    /// <value>0: run to the end; K: checkpoint after step K and stop.</value>
    [Id(2)]
    public long StopAt { get; init; }

    /// <summary>Silos that share the ranks.</summary>
    /// <value>0: as few as have the slots that the job asks for.</value>
    [Id(3)]
    public int Silos { get; init; }

    /// <value>0: normal. Larger goes first.</value>
    [Id(4)]
    public int Priority { get; init; }

    /// <summary>A lost silo sends the job back to the queue, to go on from its last checkpoint; otherwise it fails.</summary>
    [Id(5)]
    public bool Requeue { get; init; }
}

/// <summary>What became of a submission.</summary>
public enum SubmitResult
{
    Created,

    /// <summary>The same job was already there; nothing was done.</summary>
    AlreadyThere,

    /// <summary>The id belongs to another job; see the message.</summary>
    IdTaken,

    /// <summary>The options do not fit the job; see the message.</summary>
    Invalid,

    /// <summary>The user has as many jobs in the queue as he may have; see the message.</summary>
    OverQuota,
}

/// <param name="Message">Why the submission was refused; null when it was taken.</param>
[GenerateSerializer, Immutable]
public sealed record SubmitOutcome([property: Id(0)] SubmitResult Result, [property: Id(1)] string? Message = null);
