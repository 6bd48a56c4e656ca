using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Grains.Contracts;
using Distributed.Silo.Folders;
using Distributed.Training.Exchange;
using Distributed.Training.Loop;

namespace Distributed.Silo.Ranks;

/// <summary>Keeps one <see cref="HostedGeneration"/> for each job's generation on this silo, from its first rank to its last.</summary>
internal sealed class RankHost(
    IGrainFactory grains, IExchangeWire wire, JobPaths paths, SiloMemory memory, TimeProvider time, ILogger<RankHost> logger)
    : IRankHost, IRankJobs
{
    private readonly Lock gate = new();
    private readonly Dictionary<(JobId JobId, Generation Generation), HostedGeneration> runs = [];
    private int leaving;

    public event Action? Begun;

    public async Task<RankEnd> Run(RankAssignment assignment)
    {
        HostedGeneration run;
        try
        {
            run = Join(assignment);
        }
        catch (JobException e)
        {
            return Failed(assignment, e.Code, e.Message, "start");
        }
#pragma warning disable CA1031 // The rank's edge, as below.
        catch (Exception e)
#pragma warning restore CA1031
        {
            return Failed(assignment, ErrorCodes.Internal, $"{e.GetType().Name}: {e.Message}", "start");
        }

        try
        {
            var result = await run.Run(assignment.Rank);
            return new RankEnd(assignment.Generation, assignment.Rank, OutcomeOf(result.Ending), result.Error);
        }
        catch (TimeoutException e)
        {
            return Failed(assignment, ErrorCodes.Deadline, e.Message, "report");
        }
#pragma warning disable CA1031 // The rank's edge: a job whose rank ended unheard would run for ever.
        catch (Exception e)
#pragma warning restore CA1031
        {
            return Failed(assignment, ErrorCodes.Internal, $"{e.GetType().Name}: {e.Message}", "report");
        }
        finally
        {
            if (run.Leave())
            {
                lock (gate)
                {
                    runs.Remove((assignment.JobId, assignment.Generation));
                    leaving++;
                }

                try
                {
                    await run.DisposeAsync();
                }
                finally
                {
                    lock (gate) leaving--;
                }
            }
        }
    }

    public IReadOnlyCollection<JobId> Jobs
    {
        get
        {
            lock (gate) return [.. runs.Keys.Select(key => key.JobId)];
        }
    }

    public bool IsBusy
    {
        get
        {
            lock (gate) return runs.Count + leaving > 0;
        }
    }

    public string? Lacks(JobId jobId, string specJson)
    {
        try
        {
            var (spec, _) = paths.Resolve(SpecText.Parse(specJson), jobId);
            return new[] { spec.Data.Path, spec.Model.Weights }.OfType<string>().Where(path => !Path.Exists(path))
                .Select(path => $"{path} does not exist").FirstOrDefault();
        }
        catch (JobException e)
        {
            return e.Message;
        }
    }

    public void Abort(JobId jobId, Generation generation, JobError reason, bool atOnce = false)
    {
        lock (gate)
            if (runs.TryGetValue((jobId, generation), out var run)) run.Abort(reason, atOnce);
    }

    /// <summary>Ends every rank on this silo at its next wait.</summary>
    public void AbortAll(JobError reason)
    {
        lock (gate)
            foreach (var run in runs.Values) run.Abort(reason);
    }

    private HostedGeneration Join(RankAssignment assignment)
    {
        HostedGeneration run;
        lock (gate)
        {
            var key = (assignment.JobId, assignment.Generation);
            if (runs.TryGetValue(key, out var known)) return known;
            runs[key] = run = new HostedGeneration(assignment, grains, wire, paths, memory, time, logger);
        }

        Begun?.Invoke();
        return run;
    }

    private static RankOutcome OutcomeOf(RankEnding ending) => ending switch
    {
        RankEnding.Completed => RankOutcome.Completed,
        RankEnding.Stopped => RankOutcome.Stopped,
        _ => RankOutcome.Failed,
    };

    private static RankEnd Failed(RankAssignment assignment, string code, string message, string phase) => new(
        assignment.Generation, assignment.Rank, RankOutcome.Failed,
        new JobError(code, message, assignment.Rank, assignment.Silo, phase, null));
}
