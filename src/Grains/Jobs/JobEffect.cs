using Distributed.Core.Events;
using Distributed.Core.Stepping;
using Distributed.Grains.Contracts;

namespace Distributed.Grains.Jobs;

/// <summary>What is to be done after the new state is stored; doing it twice does no harm.</summary>
internal abstract record JobEffect
{
    /// <summary>Ask the queue for silos.</summary>
    internal sealed record Enqueue : JobEffect;

    /// <summary>Add a line to the event log.</summary>
    internal sealed record Log(EventLine Line) : JobEffect;

    /// <summary>Add a line to the log.</summary>
    internal sealed record Note(string Text) : JobEffect;

    /// <summary>The log goes on after an ending.</summary>
    internal sealed record Reopen : JobEffect;

    /// <summary>Tell the log of the ranks' places, open the coordinator's generation and start the ranks.</summary>
    internal sealed record StartGeneration : JobEffect;

    /// <summary>Let the next decision carry this wish.</summary>
    internal sealed record RequestStop(StepControl Control) : JobEffect;

    /// <summary>End all ranks at their next wait.</summary>
    /// <param name="AtOnce">The processes of those that do not look up soon are ended, whatever the job's step deadline.</param>
    internal sealed record AbortRanks(JobError Reason, bool AtOnce = false) : JobEffect;

    /// <summary>Leave the queue or give the silos back.</summary>
    internal sealed record Release : JobEffect;
}

/// <summary>A state and what follows from having reached it.</summary>
internal sealed record JobTransition(JobState State, IReadOnlyList<JobEffect> Effects)
{
    /// <summary>The state is kept in memory and stored with the next change: a job can do without it.</summary>
    public bool IsStoredLater { get; init; }

    public static JobTransition None(JobState state) => new(state, []);
}
