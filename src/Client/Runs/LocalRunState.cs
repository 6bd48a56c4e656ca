using Distributed.Core.Events;

namespace Distributed.Client.Runs;

/// <summary>What a local run knows of its job; immutable.</summary>
internal sealed record LocalRunState(TrainPlan Plan, TrainOptions Options)
{
    public LocalRunStage Stage { get; init; }

    public bool IsFollowing => Stage == LocalRunStage.Following;

    /// <summary>An event of the job has come.</summary>
    public bool Begun { get; init; }

    /// <summary>Steps that the job told of.</summary>
    public long Steps { get; init; }

    /// <value>The step at which the run ends; 0: not known yet.</value>
    public long LastPlannedStep { get; init; }

    /// <summary>The last step that the job told of.</summary>
    public long? Step { get; init; }

    /// <summary>The last checkpoint that the job told of.</summary>
    public string? Checkpoint { get; init; }

    /// <value>completed, stopped or failed; null while the job goes on.</value>
    public JobEvent? End { get; init; }

    /// <summary>How the request to stop the job fares; null: nobody asked for its end.</summary>
    public TaskStatus? Stopping { get; init; }

    /// <summary>What is said of the silo that fell silent, where its process does not turn out to have ended.</summary>
    public string? Suspicion { get; init; }

    /// <summary>The end of the log of the silo that was lost.</summary>
    public string? LastWords { get; init; }
}

/// <summary>How far a local run is.</summary>
internal enum LocalRunStage
{
    /// <summary>Takes the job's events.</summary>
    Following,

    /// <summary>The job is given up; how its silo ended is still to be learnt.</summary>
    Explaining,

    /// <summary>Nothing changes any more.</summary>
    Over,
}

/// <summary>Deadlines of a local run.</summary>
internal enum LocalRunDeadline
{
    /// <summary>For the job's first event.</summary>
    Begin,

    /// <summary>For the first silo's own silence to be noticed, when it does not say why the job has not begun.</summary>
    Silence,

    /// <summary>For the job to say itself that it lost a silo.</summary>
    Loss,

    /// <summary>For the job to stop as asked.</summary>
    Stop,
}
