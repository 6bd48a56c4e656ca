using Distributed.Core.Events;

namespace Distributed.Client.Runs;

/// <summary>What is to be done after a change of a local run.</summary>
internal abstract record LocalRunEffect
{
    /// <summary>Follow the job's events, its silos and what the user asks for.</summary>
    internal sealed record Follow : LocalRunEffect;

    /// <summary>Keep an event, and show it.</summary>
    /// <param name="News">Null: of a kind that this version does not know.</param>
    internal sealed record Take(string Json, JobEvent? News) : LocalRunEffect;

    /// <summary>Ask the job how many steps it has, before the next event is taken.</summary>
    internal sealed record AskForSteps : LocalRunEffect;

    /// <summary>Ask the first silo which silos are there.</summary>
    internal sealed record AskWhoIsThere : LocalRunEffect;

    /// <summary>Learn how a silo's process ended.</summary>
    /// <param name="OfFirst">Of the first silo; otherwise of another one that has ended.</param>
    /// <param name="Patience">How long its end may take.</param>
    internal sealed record LearnEnd(bool OfFirst, TimeSpan Patience) : LocalRunEffect;

    /// <summary>Say when a time has passed.</summary>
    internal sealed record Wait(TimeSpan Time, LocalRunDeadline Deadline) : LocalRunEffect;

    /// <summary>Ask the job to stop after the step in flight, with a checkpoint.</summary>
    internal sealed record RequestStop : LocalRunEffect;

    /// <summary>End the silos at once.</summary>
    internal sealed record Kill : LocalRunEffect;

    /// <summary>Tell the user.</summary>
    internal sealed record Say(string Words) : LocalRunEffect;

    /// <summary>Add a failure to the events, which the job itself could not.</summary>
    internal sealed record Fail(FailedEvent Failure) : LocalRunEffect;
}

/// <summary>A state of a local run and what follows from having reached it.</summary>
internal sealed record LocalRunTransition(LocalRunState State, IReadOnlyList<LocalRunEffect> Effects)
{
    public static LocalRunTransition None(LocalRunState state) => new(state, []);
}

/// <summary>What a local run leaves its user with.</summary>
/// <param name="HasSummary">The summary of the run comes first, on stdout.</param>
/// <param name="Words">For stderr.</param>
internal sealed record LocalRunEnd(int ExitCode, bool HasSummary, IReadOnlyList<string> Words);
