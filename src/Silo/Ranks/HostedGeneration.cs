using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Core.Spec;
using Distributed.Grains.Contracts;
using Distributed.Silo.Exchange;
using Distributed.Silo.Failures;
using Distributed.Silo.Folders;
using Distributed.Training.Exchange;
using Distributed.Training.Loop;
using SessionOptions = Distributed.Training.Loop.SessionOptions;

namespace Distributed.Silo.Ranks;

/// <summary>One generation of a job on this silo: the trainer's session and its wires to the grains.</summary>
internal sealed partial class HostedGeneration : IAsyncDisposable
{
    /// <summary>
    /// The owner waits, and the slots are another's: where a job ends at its owner's or operator's wish, its ranks are
    /// not waited for as long.
    /// </summary>
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(3);

    private readonly CoordinatorWait wait = new();
    private readonly EventPump pump;

    /// <summary>
    /// A rank that an abort has not ended by the step's deadline sits in a call that will not return: only the
    /// process's end frees its slot.
    /// </summary>
    private readonly TimeSpan longestCall;
    private readonly SiloSession session;
    private readonly TimeProvider time;

    /// <summary>By how long they wait for the ranks' end.</summary>
    private readonly Dictionary<TimeSpan, ITimer> watchdogs = [];
    private int running;

    public HostedGeneration(
        RankAssignment assignment, IGrainFactory grains, IExchangeWire wire, JobPaths paths, SiloMemory memory, TimeProvider time,
        ILogger logger)
    {
        var (spec, checkpoints) = paths.Resolve(SpecText.Parse(assignment.SpecJson), assignment.JobId);
        memory.Check(spec, assignment.LocalRanks.Length);
        memory.Cap(spec);
        var options = new SessionOptions
        {
            JobId = assignment.JobId,
            Generation = assignment.Generation,
            Spec = spec,
            Silo = assignment.Silo,
            WorldSize = assignment.WorldSize,
            Ranks = [.. assignment.LocalRanks.Select(r => new RankSlot(r.Rank, r.Device))],
            Silos = [.. assignment.Silos.Select(s => new SiloRankCount(s.Silo, s.Ranks))],
            CheckpointDirectory = checkpoints,
            Resume = assignment.Resume,
            StopAt = assignment.StopAt,
            StepDeadline = assignment.StepDeadline,
            CheckpointWriter = paths.AreShared ? $"g{assignment.Generation}" : "",
        };
        var key = CoordinatorKey.Of(assignment.JobId, assignment.Generation);
        var coordinator = grains.GetGrain<ICoordinatorGrain>(key);
        var job = grains.GetJob(assignment.JobId);
        var seat = options.Silos[0].Silo;
        var decider = new CoordinatorDecider(
            coordinator, job, assignment.Generation, assignment.Silo, seat, assignment.StepDeadline, wait, time);
        pump = new EventPump(job, assignment.Generation, assignment.Silo, () => decider.TotalSteps, time, logger);
        var exchange = options.Silos.Count > 1
            ? Exchange(
                spec, grains, wire, logger,
                new CoordinatorRendezvous(coordinator, assignment.Generation, assignment.Silo, seat, assignment.MeetDeadline, wait), key)
            : null;
        session = new SiloSession(options, decider, pump, time, exchange);
        running = assignment.LocalRanks.Length;
        (this.time, longestCall) = (time, assignment.StepDeadline);
    }

    /// <summary>Runs one rank to its end and delivers the events up to then.</summary>
    /// <exception cref="TimeoutException">The job's grain did not take the events.</exception>
    public async Task<RankResult> Run(Rank rank)
    {
        var result = await session.RunRank(rank);
        if (result.Ending == RankEnding.Failed) Watch(longestCall);
        try
        {
            await pump.Drain();
        }
        catch (TimeoutException) when (result.Error is not null)
        {
            // What broke the rank says more than that its last events were not delivered.
        }

        return result;
    }

    /// <returns>Whether this was the last local rank; the run is then to be disposed of.</returns>
    public bool Leave() => Interlocked.Decrement(ref running) == 0;

    /// <param name="atOnce">This process ends soon if a rank does not, whatever the job's step deadline.</param>
    public void Abort(JobError reason, bool atOnce = false)
    {
        session.Abort(reason);
        wait.Abort(reason);
        Watch(atOnce && Soon < longestCall ? Soon : longestCall);
    }

    public async ValueTask DisposeAsync()
    {
        ITimer[] timers;
        lock (watchdogs) timers = [.. watchdogs.Values];
        foreach (var timer in timers) await timer.DisposeAsync();
        session.Dispose();
        await pump.DisposeAsync();
        wait.Dispose();
    }

    private IExchangeFactory Exchange(
        JobSpec spec, IGrainFactory grains, IExchangeWire wire, ILogger logger, CoordinatorRendezvous rendezvous, string coordinator) =>
        spec.Exchange switch
        {
            GradientExchange.Coordinator =>
                new CoordinatorExchangeFactory(rendezvous, grains.GetGrain<ICoordinatorExchange>(coordinator), spec.Workers.Overlap, wait),
            _ => new PeerExchangeFactory(
                rendezvous, wire, spec.Workers.Overlap, warning => pump.Publish(new WarningEvent(warning)),
                log: way => LogWay(logger, session.Options.JobId, session.Options.Generation, session.Options.Silo, way)),
        };

    [LoggerMessage(4102, LogLevel.Information, "Job {Job}, generation {Generation}: silo {Silo} {Way}.")]
    private static partial void LogWay(ILogger logger, JobId job, Generation generation, string silo, string way);

    private void Watch(TimeSpan patience)
    {
        lock (watchdogs)
            if (!watchdogs.ContainsKey(patience))
                watchdogs[patience] = time.CreateTimer(_ => EndProcess(patience), null, patience, Timeout.InfiniteTimeSpan);
    }

    private void EndProcess(TimeSpan patience)
    {
        if (session.Running == 0) return;
        ProcessEnd.Now(FormattableString.Invariant($"job {session.Options.JobId}: a rank did not end within {patience.TotalSeconds} s of ")
            + "the abort; it is stuck in a native call, so this silo ends. Resume from the last checkpoint.");
    }
}
