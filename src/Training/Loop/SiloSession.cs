using Distributed.Core;
using Distributed.Core.Events;

namespace Distributed.Training.Loop;

/// <summary>One generation of a job on one silo: the shared replica and the rank threads that train it.</summary>
public sealed class SiloSession : IDisposable
{
    /// <summary>Prepares nothing yet: data, model and checkpoint are opened by the rank threads once all have joined.</summary>
    public SiloSession(SessionOptions options, IStepDecider decider, IEventSink events, TimeProvider time)
    {
        Options = options;
        _ = decider;
        _ = events;
        _ = time;
    }

    public SessionOptions Options { get; }

    /// <summary>Starts the rank's thread; the task completes (never faults) when that thread has ended.</summary>
    public Task<RankResult> RunRank(Rank rank) => throw new NotSupportedException(rank.ToString());

    /// <summary>Ends every rank thread at its next wait, for the reason given.</summary>
    public void Abort(JobError reason) => throw new NotSupportedException(reason.Message);

    public void Dispose()
    {
    }
}
