using Distributed.Core.Jobs;
using Distributed.Core.Spec;

namespace Distributed.Training.Loop;

/// <summary>One generation of a job as one silo sees it: which ranks it runs and where its files lie.</summary>
public sealed record SessionOptions
{
    public required JobId JobId { get; init; }

    public required Generation Generation { get; init; }

    public required JobSpec Spec { get; init; }

    /// <summary>This silo's name, for messages and events.</summary>
    public required string Silo { get; init; }

    /// <summary>Ranks of the whole job.</summary>
    public required int WorldSize { get; init; }

    /// <summary>The ranks that run here, ascending.</summary>
    public required IReadOnlyList<RankSlot> Ranks { get; init; }

    /// <value>This silo holds rank 0: it alone evaluates, writes checkpoints and reports.</value>
    public bool IsLead => Ranks[0].Rank.Value == 0;

    /// <summary>All silos of the generation, in rank order; empty: this one alone.</summary>
    public IReadOnlyList<SiloRankCount> Silos { get; init; } = [];

    /// <summary>Directory of the job's checkpoints, absolute.</summary>
    public required string CheckpointDirectory { get; init; }

    /// <summary>Tells this generation's writer from those of others, whose processes may still hang on.</summary>
    /// <value>Empty: nobody else writes there.</value>
    public string CheckpointWriter { get; init; } = "";

    /// <summary>Continue from the last valid checkpoint; where there are none at all, start afresh; where none is whole, refuse.</summary>
    public bool Resume { get; init; }

    /// <value>0: run to the end; K: checkpoint after step K and stop.</value>
    public long StopAt { get; init; }

    /// <summary>Longest wait for the other ranks or the decision before the job fails.</summary>
    public TimeSpan StepDeadline { get; init; } = TimeSpan.FromMinutes(5);
}

/// <param name="Device">Device slot, such as <c>cpu:0</c>.</param>
public readonly record struct RankSlot(Rank Rank, string Device);

/// <summary>How many ranks a silo runs; silos hold contiguous ranks, in order.</summary>
public readonly record struct SiloRankCount(string Silo, int Ranks);
