using System.Collections.Immutable;
using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Grains.Contracts;
using Distributed.Grains.Placement;
using Orleans.Runtime;

namespace Distributed.Grains.Jobs;

internal sealed partial class JobGrain
{
    public async Task Starved(string silo)
    {
        if (store.State.Submission is not null) await Apply(JobLifecycle.Starve(State, silo));
        else DeactivateOnIdle();
    }

    private string Inputs => string.Join(", ", new[] { Spec.Data.Path, Spec.Model.Weights }.OfType<string>());

    /// <summary>What a silo's fault is held against: who else is there, and who lacks the same file without having been tried.</summary>
    /// <returns>Null: the job stays where it is, whatever failed.</returns>
    private async Task<JobSurroundings?> LookAround(JobError? error)
    {
        var fault = error is { Silo: not null } && SiloFault.IsOne(error.Code);
        if (!State.Requeues || !HasRanks || !(fault || State.Requeue?.Error is not null)) return null;
        // Asked once, and not again for each rank that ends with the first.
        var asked = fault && State.Requeue?.Error is null && error!.Code == ErrorCodes.PathMissing ? error.Silo : null;
        var others = members.CurrentSnapshot.Members.Values.Where(m => m.Status == SiloStatus.Active)
            .OrderBy(m => m.Name, StringComparer.Ordinal);
        var answers = await Task.WhenAll(others.Select(m => AskSilo(m, asked)));
        var (ranks, _, _) = RankPlan.Demand(Spec, store.State.Submission!.Options, State.Workers);
        return new JobSurroundings(
            [.. answers.Select(a => a.Room).OfType<SiloRoom>()], Inputs, time.GetUtcNow(),
            [.. answers.Select(a => a.Fault).OfType<SiloFault>()])
        {
            SilosNeeded = store.State.Submission.Options.Silos,
            RanksNeeded = ranks,
        };
    }

    /// <summary>A silo that is busy for hours can still say whether it has the file.</summary>
    /// <param name="lacking">The silo that lacks files of the job; null: none is known to.</param>
    private async Task<(SiloRoom? Room, SiloFault? Fault)> AskSilo(ClusterMember silo, string? lacking)
    {
        try
        {
            var state = await devices.On(silo.SiloAddress).Describe();
            SiloRoom? room = state.Draining ? null : new SiloRoom(silo.Name, state.Silo.Slots, state.Silo.Fingerprint);
            if (lacking is null || lacking == silo.Name) return (room, null);
            var answer = await devices.On(silo.SiloAddress).Lacks(Id, store.State.Submission!.SpecJson);
            return (room,
                answer.Lacks is { } what ? new SiloFault(silo.Name, ErrorCodes.PathMissing, what, Inputs, time.GetUtcNow()) : null);
        }
        catch (Exception e) when (e is OrleansException or TimeoutException)
        {
            // It may answer again by the time that the job is tried there.
            return (new SiloRoom(silo.Name, RankPlan.Demand(Spec, store.State.Submission!.Options, State.Workers).Min), null);
        }
    }
}
