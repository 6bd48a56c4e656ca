using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Core.Stepping;
using Distributed.Grains.Contracts;
using Distributed.Grains.Exchange;
using Distributed.Grains.Placement;
using Orleans.Concurrency;

namespace Distributed.Grains.Coordination;

/// <summary>
/// Shell round <see cref="SiloMeeting"/>, <see cref="StepRendezvous"/> and <see cref="ChunkRendezvous"/>; soft state only. Reentrant, so
/// that all silos wait together.
/// </summary>
[Reentrant, KeepAlive, OnWillingSilo]
internal sealed partial class CoordinatorGrain(TimeProvider time, IChunkReducers reducers) : Grain, ICoordinatorGrain, ICoordinatorExchange
{
    private StepRendezvous? current;
    private SiloMeeting? meeting;

    public Task Open(GenerationSetup setup)
    {
        if (current is null || setup.Generation > current.Generation)
        {
            if (current is not null) End(Stale(current.Generation, setup.Generation));
            current = new StepRendezvous(setup, time);
            meeting = new SiloMeeting(setup, time);
            chunks = new ChunkRendezvous(JobId, setup, reducers);
        }

        return Task.CompletedTask;
    }

    public Task<MeetReply> Meet(Generation generation, string silo, string endpoint, string fingerprint) => meeting is null
        ? Task.FromResult(MeetReply.Refused(Gone(generation, "start", null)))
        : meeting.Meet(generation, silo, endpoint, fingerprint);

    public Task<VoteReply> Vote(string silo, long totalSteps, StepVote vote) => current is null
        ? Task.FromResult(new VoteReply(null, Gone(vote.Generation, "decide", vote.Step)))
        : current.Vote(silo, totalSteps, vote);

    public Task<bool> IsOpen(Generation generation)
    {
        if (current is null) DeactivateOnIdle();
        return Task.FromResult(current is { IsOpen: true } open && open.Generation == generation);
    }

    public Task RequestStop(Generation generation, StepControl control)
    {
        if (current?.Generation == generation) current.Request(control);
        return Task.CompletedTask;
    }

    public Task Close(Generation generation, JobError reason)
    {
        if (current is null || current.Generation == generation)
        {
            End(reason);
            DeactivateOnIdle();
        }

        return Task.CompletedTask;
    }

    private void End(JobError reason)
    {
        current?.Close(reason);
        meeting?.Close(reason);
        chunks?.Close(reason);
    }

    private JobId JobId => JobId.Parse(this.GetPrimaryKeyString().Split('/')[0]);

    /// <summary>Who asks for what is over, or was lost with a silo, woke this grain for nothing.</summary>
    private JobError Gone(Generation generation, string phase, long? step)
    {
        DeactivateOnIdle();
        return new(
            ErrorCodes.SiloLost,
            $"Job {JobId}{(step is null ? "" : $", step {step}")}: generation {generation} is over, or its coordinator was lost with its "
            + "silo; resume from the last checkpoint.",
            null, null, phase, step);
    }

    private static JobError Stale(Generation old, Generation now) => new(
        ErrorCodes.SiloLost, $"Generation {old} is over; the job continues in generation {now}.", null, null, "decide", null);
}
