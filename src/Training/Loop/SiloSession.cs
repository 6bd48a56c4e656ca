using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Training.Exchange;
using Distributed.Training.Native;
using Distributed.Training.Ranks;
using static TorchSharp.torch;

namespace Distributed.Training.Loop;

/// <summary>One generation of a job on one silo: the shared replica and the rank threads that train it.</summary>
public sealed class SiloSession : IDisposable
{
    private readonly RankBarrier barrier;
    private readonly TrainingLoop run;
    private readonly CancellationTokenSource ending = new();
    private readonly Lock gate = new();
    private JobError? failure;
    private int running;

    /// <summary>Prepares nothing yet: data, model and checkpoint are opened by the last rank to join.</summary>
    /// <param name="exchange">The way to the other silos; null where there are none.</param>
    public SiloSession(
        SessionOptions options, IStepDecider decider, IEventSink events, TimeProvider time, IExchangeFactory? exchange = null)
    {
        Options = options;
        barrier = new RankBarrier([.. options.Ranks.Select(r => r.Rank)], options.Silo, options.StepDeadline);
        run = new TrainingLoop(options, decider, events, time, exchange ?? new LocalExchangeFactory());
    }

    public SessionOptions Options { get; }

    /// <summary>Rank threads that have not ended.</summary>
    public int Running
    {
        get
        {
            lock (gate) return running;
        }
    }

    /// <summary>Starts the rank's thread; the task completes (never faults) when that thread has ended.</summary>
    public Task<RankResult> RunRank(Rank rank)
    {
        var index = Enumerable.Range(0, Options.Ranks.Count).First(i => Options.Ranks[i].Rank == rank);
        var done = new TaskCompletionSource<RankResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (gate) running++;
        new Thread(() => done.SetResult(RunToEnd(rank, index))) { IsBackground = true, Name = $"rank {rank}" }.Start();
        return done.Task;
    }

    /// <summary>Ends every rank thread at its next wait, file or batch, for the reason given.</summary>
    public void Abort(JobError reason)
    {
        lock (gate) failure ??= reason;
        ending.Cancel();
        run.Abort(reason);
        barrier.Break(new SessionEndedException(reason.Message));
    }

    /// <summary>Gives back what a session whose ranks never started holds; a running one frees it when its last rank ends.</summary>
    public void Dispose()
    {
        lock (gate)
            if (running == 0) run.Dispose();
    }

    private RankResult RunToEnd(Rank rank, int index)
    {
        RankPhase phase = new();
        try
        {
            AbortSignal.Follow(ending.Token);
            NativeRuntime.Initialize();
            RankThreadPriority.LowerCurrent();
            set_num_threads(Options.Spec.Workers.IntraOpThreads);
            return new RankResult(rank, run.Train(index, barrier, phase), null);
        }
#pragma warning disable CA1031 // The rank thread's top: whatever went wrong becomes the job's error.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Abort(RankFailure.Describe(e, rank, Options.Silo, phase));
            return new RankResult(rank, RankEnding.Failed, failure);
        }
        finally
        {
            lock (gate)
                if (--running == 0) run.Dispose();
        }
    }
}
