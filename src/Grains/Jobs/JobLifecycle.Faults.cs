using Distributed.Core;
using Distributed.Core.Events;
using Distributed.Grains.Devices;

namespace Distributed.Grains.Jobs;

// A silo's own fault is not the job's: only what fails everywhere is.
internal static partial class JobLifecycle
{
    /// <summary>A silo lacks a file, has a full disk or a broken library: the job lines up again for the others.</summary>
    private static JobState Faulty(JobState state, JobError error, List<JobEffect> effects, JobSurroundings cluster)
    {
        var fault = new SiloFault(error.Silo!, error.Code, error.Message, error.Code == ErrorCodes.PathMissing ? cluster.Inputs : null, cluster.Now);
        SiloFault[] found = [fault, .. cluster.Lacking.Where(other => other.Silo != fault.Silo)];
        var known = state with { Faults = [.. state.Faults.Where(old => !found.Any(f => f.Silo == old.Silo)), .. found] };
        // It came up while the ranks were ending already.
        if (state.Comeback is { Abrupt: true }) return known;
        var named = Named(error);
        effects.Add(new JobEffect.AbortRanks(named));
        effects.Add(new JobEffect.Note($"generation {state.Generation} is over: {named.Message}"));
        return known with { Comeback = new Comeback(named.Message, Abrupt: true) { Error = error }, Reason = $"silo {error.Silo} could not run it" };
    }

    /// <returns>Null: there is a silo left to try.</returns>
    private static JobState? FailedEverywhere(JobState state, Comeback comeback, List<JobEffect> effects, JobSurroundings? cluster)
    {
        if (comeback.Error is not { } error || cluster is null) return null;
        var now = cluster.Now;
        var left = cluster.Silos.Where(silo => !state.Faults.Any(f => f.Silo == silo && !f.IsOver(now))).ToList();
        var named = Named(error);
        if (left.Count > 0)
        {
            effects.Add(new JobEffect.Log(EventLine.Of(new WarningEvent(
                $"{named.Message} Not the job's fault as far as one can tell: it is tried on other silos ({Some(left)}), and silo {error.Silo} is passed over for {SiloFault.PassOver.TotalMinutes:0} minutes."))));
            return null;
        }

        var others = cluster.Silos.Where(silo => silo != error.Silo).ToList();
        return Fail(state with { Faults = [] }, others.Count == 0 ? named : named with { Message = $"{named.Message} The same or the like on all other silos ({Some(others)})." }, effects);
    }

    private static JobError Named(JobError error) => error.Message.Contains($"ilo {error.Silo}", StringComparison.Ordinal)
        ? error
        : error with { Message = $"Silo {error.Silo}: {error.Message.TrimEnd()}{(error.Message.TrimEnd().EndsWith('.') ? "" : ".")}" };

    private static string Some(List<string> silos) => string.Join(", ", silos.Take(5)) + (silos.Count > 5 ? $" and {silos.Count - 5} more" : "");
}
