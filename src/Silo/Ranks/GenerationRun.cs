using Distributed.Core;
using Distributed.Core.Events;
using Distributed.Grains.Coordination;
using Distributed.Grains.Jobs;
using Distributed.Grains.Workers;
using Distributed.Training.Loop;
using SessionOptions = Distributed.Training.Loop.SessionOptions;

namespace Distributed.Silo.Ranks;

/// <summary>One generation of a job on this silo: the trainer's session and its wires to the grains.</summary>
internal sealed class GenerationRun : IAsyncDisposable
{
    private readonly CoordinatorDecider decider;
    private readonly EventPump pump;
    private readonly SiloSession session;
    private int running;

    public GenerationRun(RankAssignment assignment, IGrainFactory grains, JobPaths paths, TimeProvider time, ILogger logger)
    {
        var (spec, checkpoints) = paths.Resolve(SpecText.Parse(assignment.SpecJson), assignment.JobId);
        var options = new SessionOptions
        {
            JobId = assignment.JobId,
            Generation = assignment.Generation,
            Spec = spec,
            Silo = assignment.Silo,
            WorldSize = assignment.WorldSize,
            Ranks = [.. assignment.LocalRanks.Select(r => new RankSlot(new Rank(r.Rank), r.Device))],
            CheckpointDirectory = checkpoints,
            Resume = assignment.Resume,
            StopAt = assignment.StopAt,
            StepDeadline = assignment.StepDeadline,
        };
        decider = new CoordinatorDecider(grains.GetGrain<ICoordinatorGrain>(assignment.JobId), assignment.Silo, assignment.StepDeadline);
        pump = new EventPump(
            grains.GetGrain<IJobGrain>(assignment.JobId), assignment.Generation, assignment.Silo, () => decider.TotalSteps, time, logger);
        session = new SiloSession(options, decider, pump, time);
        running = assignment.LocalRanks.Length;
    }

    /// <summary>Runs one rank to its end and delivers the events up to then.</summary>
    /// <exception cref="TimeoutException">The job's grain did not take the events.</exception>
    public async Task<RankResult> Run(Rank rank)
    {
        var result = await session.RunRank(rank);
        await pump.Drain();
        return result;
    }

    /// <returns>Whether this was the last local rank; the run is then to be disposed of.</returns>
    public bool Leave() => Interlocked.Decrement(ref running) == 0;

    public void Abort(JobError reason)
    {
        session.Abort(reason);
        decider.Abort(reason);
    }

    public async ValueTask DisposeAsync()
    {
        session.Dispose();
        await pump.DisposeAsync();
        decider.Dispose();
    }
}
