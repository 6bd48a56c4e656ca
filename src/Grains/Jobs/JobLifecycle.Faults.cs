using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Grains.Contracts;

namespace Distributed.Grains.Jobs;

// A silo's own fault is not the job's: only what fails everywhere is.
internal static partial class JobLifecycle
{
    /// <summary>A silo lacks a file, has a full disk or a broken library: the job lines up again for the others.</summary>
    private static JobState Faulty(JobState state, JobError error, List<JobEffect> effects, JobSurroundings cluster)
    {
        var fault = new SiloFault(
            error.Silo!, error.Code, error.Message, error.Code == ErrorCodes.PathMissing ? cluster.Inputs : null, cluster.Now);
        SiloFault[] found = [fault, .. cluster.Lacking.Where(other => other.Silo != fault.Silo)];
        var known = state with { Faults = [.. state.Faults.Where(old => !found.Any(f => f.Silo == old.Silo)), .. found] };
        // It came up while the ranks were ending already.
        if (state.Requeue is { Abrupt: true }) return known;
        var named = Named(error);
        effects.Add(new JobEffect.AbortRanks(named));
        effects.Add(new JobEffect.Note($"generation {state.Generation} is over: {named.Message}"));
        return known with
        {
            Requeue = new Requeue(named.Message, Abrupt: true) { Error = error },
            Reason = $"silo {error.Silo} could not run it",
        };
    }

    /// <returns>Null: there is a silo left to try.</returns>
    private static JobState? FailedEverywhere(JobState state, Requeue requeue, List<JobEffect> effects, JobSurroundings? cluster)
    {
        if (requeue.Error is not { } error || cluster is null) return null;
        // Also where it failed longer ago than silos are passed over: no checkpoint has been written since.
        var left = cluster.Silos.Where(silo => !state.Faults.Any(f => f.Silo == silo.Name)).ToList();
        var named = Named(error);
        if (cluster.CanRunOn(left))
        {
            effects.Add(new JobEffect.Log(EventLine.Of(new WarningEvent(
                $"{named.Message} This does not seem to be the job's fault: "
                + $"it is tried on other silos ({Some(left.Select(s => s.Name))}), and silo {error.Silo} is passed over for "
                + $"{SiloFault.PassOver.TotalMinutes:0} minutes."))));
            return null;
        }

        var others = cluster.Silos.Select(s => s.Name).Where(silo => silo != error.Silo && !left.Exists(l => l.Name == silo)).ToList();
        var all = left.Count == 0 ? "all other silos" : "others";
        var small = left.Count == 0 ? "" : $" What is left is too small for it ({Some(left.Select(s => s.Name))}).";
        return Fail(
            state with { Faults = [] },
            named with
            {
                Message = $"{named.Message}{(others.Count == 0 ? "" : $" The same or the like on {all} ({Some(others)}).")}{small}",
            }, effects);
    }

    private static JobError Named(JobError error) => error.Message.Contains($"ilo {error.Silo}", StringComparison.Ordinal)
        ? error
        : error with { Message = $"Silo {error.Silo}: {error.Message.TrimEnd()}{(error.Message.TrimEnd().EndsWith('.') ? "" : ".")}" };

    private static string Some(IEnumerable<string> silos) => silos.ToList() is { Count: > 5 } many
        ? $"{string.Join(", ", many.Take(5))} and {many.Count - 5} more"
        : string.Join(", ", silos);
}
