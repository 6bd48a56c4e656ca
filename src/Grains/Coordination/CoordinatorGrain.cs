using Distributed.Core;
using Distributed.Core.Events;
using Distributed.Core.Stepping;
using Distributed.Grains.Exchange;
using Orleans.Concurrency;

namespace Distributed.Grains.Coordination;

/// <summary>Shell round <see cref="StepRendezvous"/>; soft state only. Reentrant, so that the votes of all silos wait together.</summary>
[Reentrant, KeepAlive]
internal sealed partial class CoordinatorGrain(TimeProvider time, IChunkReducers reducers) : Grain, ICoordinatorGrain, ICoordinatorExchange
{
    private StepRendezvous? current;

    public Task Open(GenerationSetup setup)
    {
        if (current is null || setup.Generation > current.Generation)
        {
            current?.Close(Stale(current.Generation, setup.Generation));
            chunks?.Close(Stale(chunks.Generation, setup.Generation));
            current = new StepRendezvous(setup, time);
            chunks = new ChunkRendezvous(this.GetPrimaryKeyString(), setup, reducers);
        }

        return Task.CompletedTask;
    }

    public Task<VoteReply> Vote(string silo, long totalSteps, StepVote vote)
    {
        if (current is null)
            return Task.FromResult(new VoteReply(null, new JobError(
                ErrorCodes.Internal,
                $"Job {this.GetPrimaryKeyString()}, step {vote.Step}: the coordinator lost generation {vote.Generation} when its silo ended; resume from the last checkpoint.",
                null, silo, "decide", vote.Step)));
        return current.Vote(silo, totalSteps, vote);
    }

    public Task RequestStop(int generation, StepControl control)
    {
        if (current?.Generation == generation) current.Request(control);
        return Task.CompletedTask;
    }

    public Task Close(int generation, JobError reason)
    {
        if (current?.Generation == generation) current.Close(reason);
        if (chunks?.Generation == generation) chunks.Close(reason);
        return Task.CompletedTask;
    }

    private static JobError Stale(int old, int now) => new(
        ErrorCodes.Internal, $"Generation {old} is over; the job goes on in generation {now}.", null, null, "decide", null);
}
