using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Core.LossScaling;
using Distributed.Core.Spec;
using Distributed.Core.Stepping;
using Distributed.Grains.Contracts;

namespace Distributed.Grains.Coordination;

/// <summary>
/// The votes of one generation: gathers them in <see cref="VoteGathering"/> and holds early voters until the last has come.
/// </summary>
/// <remarks>Not thread-safe: used in the turns of one grain.</remarks>
internal sealed class StepRendezvous
{
    private readonly GenerationSetup setup;
    private readonly TimeProvider time;
    private readonly JobSpec spec;
    private readonly ILossScalePolicy policy;
    private readonly VoteGathering gathering;
    private (long Step, TaskCompletionSource<VoteReply> Answer)? waiting;
    private (string Silo, long Steps)? total;
    private StepControl requested;
    private JobError? closed;

    public StepRendezvous(GenerationSetup setup, TimeProvider time)
    {
        this.setup = setup;
        this.time = time;
        spec = SpecText.Parse(setup.SpecJson);
        policy = JobLossScale.For(spec);
        gathering = new VoteGathering(setup.Generation, setup.Silos, Decide);
    }

    public Generation Generation => setup.Generation;

    public bool IsOpen => closed is null;

    public void Request(StepControl control) => requested = control > requested ? control : requested;

    public void Close(JobError reason)
    {
        closed ??= reason;
        waiting?.Answer.TrySetResult(new VoteReply(null, closed));
        waiting = null;
    }

    public Task<VoteReply> Vote(string silo, long totalSteps, StepVote vote)
    {
        if (closed is not null) return Task.FromResult(new VoteReply(null, closed));
        total ??= (silo, totalSteps);
        if (total.Value.Steps != totalSteps) return Broken(ErrorCodes.Divergence, silo, vote,
            $"Step {vote.Step}: silo {total.Value.Silo} counts {total.Value.Steps} steps in all, silo {silo} {totalSteps}; "
            + "they read different data. Give all silos the same files.");
        return gathering.Add(silo, vote) switch
        {
            VoteOutcome.Decided decided => Answer(decided.Decision),
            VoteOutcome.Unequal unequal => Broken(ErrorCodes.Divergence, silo, vote, unequal.Message),
            VoteOutcome.Stale stale => Task.FromResult(Refused(ErrorCodes.Internal, silo, vote, stale.Message)),
            _ => Wait(vote.Step),
        };
    }

    private StepDecision Decide(StepVote vote) => StepDecider.Decide(spec, total!.Value.Steps, policy, vote, requested);

    private Task<VoteReply> Answer(StepDecision decision)
    {
        var reply = new VoteReply(decision, null);
        // A vote that is asked again for the step before leaves those alone who wait for the next.
        if (waiting is { } open && open.Step == decision.Step)
        {
            open.Answer.TrySetResult(reply);
            waiting = null;
        }

        return Task.FromResult(reply);
    }

    private Task<VoteReply> Broken(string code, string silo, StepVote vote, string message)
    {
        var reply = Refused(code, silo, vote, message);
        Close(reply.Error!);
        return Task.FromResult(reply);
    }

    private async Task<VoteReply> Wait(long step)
    {
        waiting ??= (step, new TaskCompletionSource<VoteReply>(TaskCreationOptions.RunContinuationsAsynchronously));
        var mine = waiting.Value.Answer.Task;
        try
        {
            return await mine.WaitAsync(setup.StepDeadline, time);
        }
        catch (TimeoutException) when (!mine.IsCompleted)
        {
            var missing = gathering.Missing;
            var arrived = setup.Silos.Except(missing).Order(StringComparer.Ordinal);
            Close(new JobError(
                ErrorCodes.Deadline,
                $"Step {step}: no vote from silo {string.Join(", ", missing)} for {setup.StepDeadline.TotalSeconds:0.###} s; "
                + $"silo {string.Join(", ", arrived)} arrived. Look at the log of the missing silo, then resume from the last checkpoint.",
                null, missing.Count > 0 ? missing[0] : null, "decide", step));
            return new VoteReply(null, closed);
        }
        catch (TimeoutException)
        {
            // The answer came in the very moment the clock ran out.
            return await mine;
        }
    }

    private static VoteReply Refused(string code, string silo, StepVote vote, string message) =>
        new(null, new JobError(code, message, null, silo, "decide", vote.Step));
}
