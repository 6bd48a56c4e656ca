using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Core.Stepping;
using Distributed.Grains.Contracts;
using Distributed.Silo.Exchange;
using Distributed.Silo.Ranks;
using Distributed.Training.Exchange;
using Orleans.Runtime;

namespace Distributed.Silo.Tests;

public sealed class CoordinatorDeciderTests : IDisposable
{
    private static readonly JobError Gone = new(ErrorCodes.Native, "rank 1 is gone", new(1), "b", "forward", 3);

    private readonly CoordinatorWait wait = new();

    public void Dispose() => wait.Dispose();

    private readonly FakeJobGrain job = new();
    private readonly SteppedTime time = new();

    private CoordinatorDecider Decider(Task<VoteReply>? reply = null, TimeSpan? deadline = null)
    {
        FakeCoordinator coordinator = new(reply ?? new TaskCompletionSource<VoteReply>().Task, new TaskCompletionSource<MeetReply>().Task);
        return new CoordinatorDecider(coordinator, job, new(1), "a", "c", deadline ?? TimeSpan.FromMinutes(5), wait, time);
    }

    private CoordinatorRendezvous Rendezvous(Task<MeetReply> reply) => new(
        new FakeCoordinator(new TaskCompletionSource<VoteReply>().Task, reply),
        new(1), "a", "c", TimeSpan.FromMinutes(5), wait);

    [Fact]
    public void Decide_Decision_ReturnsItAndRemembersTheSteps()
    {
        var decision = new StepDecision(1, true, Specs.Fresh, 1, 0.1, StepControl.GoOn, null);
        var decider = Decider(Task.FromResult(new VoteReply(decision, null)));
        Assert.Same(decision, decider.Decide(Specs.Vote(Specs.Fresh), 7));
        Assert.Equal(7, decider.TotalSteps);
    }

    [Fact]
    public void Decide_Refused_ThrowsTheErrorUnchanged()
    {
        var decider = Decider(Task.FromResult(new VoteReply(null, Gone)));
        Assert.Equal(Gone, Assert.Throws<JobErrorException>(() => decider.Decide(Specs.Vote(Specs.Fresh), 7)).Error);
    }

    [Fact]
    public async Task Decide_AbortedWhileWaiting_EndsAtOnceWithTheReason()
    {
        var decider = Decider(new TaskCompletionSource<VoteReply>().Task);
        var waiting = Task.Run(() => decider.Decide(Specs.Vote(Specs.Fresh), 7));
        wait.Abort(Gone);
        wait.Abort(Gone with { Message = "later" });
        var error = await Assert.ThrowsAsync<JobErrorException>(() => waiting.WaitAsync(TimeSpan.FromMinutes(5)));
        Assert.Equal(Gone, error.Error);
    }

    [Fact]
    public void Meet_AllCame_GivesTheMesh()
    {
        var mesh = Rendezvous(Task.FromResult(new MeetReply(["a:1", "b:2"], [1, 2, 3], null))).Meet(new ExchangeOffer("a:1", "cpu"));
        Assert.Equal(["a:1", "b:2"], mesh.Endpoints.ToArray());
        Assert.Equal([1, 2, 3], mesh.Secret.ToArray());
    }

    [Fact]
    public async Task Meet_RefusedOrAborted_ThrowsTheErrorUnchanged()
    {
        Assert.Equal(Gone, Assert.Throws<JobErrorException>(
            () => Rendezvous(Task.FromResult(MeetReply.Refused(Gone))).Meet(new ExchangeOffer("", "cpu"))).Error);
        var waiting = Task.Run(() => Rendezvous(new TaskCompletionSource<MeetReply>().Task).Meet(new ExchangeOffer("", "cpu")));
        wait.Abort(Gone);
        var error = await Assert.ThrowsAsync<JobErrorException>(() => waiting.WaitAsync(TimeSpan.FromMinutes(5)));
        Assert.Equal(Gone, error.Error);
    }

    [Fact]
    public void Decide_NoAnswer_DeadlineNamesSiloAndStep()
    {
        var decider = Decider(new TaskCompletionSource<VoteReply>().Task, TimeSpan.FromSeconds(-9.9));
        var error = Assert.Throws<JobException>(() => decider.Decide(Specs.Vote(Specs.Fresh), 7));
        Assert.Equal(ErrorCodes.Deadline, error.Code);
        Assert.StartsWith("Step 1, silo a: no answer from the coordinator", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Decide_CoordinatorsSiloIsGone_LossThatNamesThatSilo()
    {
        var decider = Decider(
            Task.FromException<VoteReply>(new SiloUnavailableException("The target silo became unavailable for message: Request [...]")));
        var error = Assert.Throws<JobErrorException>(() => decider.Decide(Specs.Vote(Specs.Fresh), 7)).Error;
        Assert.Equal(
            "Step 1, silo a: the coordinator on silo c cannot be reached (SiloUnavailableException); resume from the last checkpoint.",
            error.Message);
        Assert.Equal((ErrorCodes.SiloLost, "c"), (error.Code, error.Silo));
    }

    [Fact]
    public void Decide_CoordinatorsStoreIsGone_LossThatNamesIt()
    {
        var decider = Decider(Task.FromException<VoteReply>(
            new OrleansException("Error from storage provider jobs during WriteStateAsync for grain job/toy\nand its history")));
        var error = Assert.Throws<JobException>(() => decider.Decide(Specs.Vote(Specs.Fresh), 7));
        Assert.Equal(
            "Step 1, silo a: the coordinator could not do its part (Error from storage provider jobs during WriteStateAsync for grain "
            + "job/toy); resume from the last checkpoint.",
            error.Message);
        Assert.Equal(ErrorCodes.SiloLost, error.Code);
    }

    [Fact]
    public async Task Confirm_JobsSiloIsLost_AsksTheNextOne()
    {
        (job.Loss, job.AnswersToLose) = (new SiloUnavailableException("The target silo became unavailable"), 2);
        var confirming = Task.Run(() => Decider().Confirm(3));
        for (var lost = 0; lost < 2; lost++)
        {
            await time.Waited();
            time.Advance(TimeSpan.FromSeconds(1));
        }

        await confirming.WaitAsync(TimeSpan.FromMinutes(1));
        Assert.Equal([3, 3, 3], job.Confirmed);
    }

    [Fact]
    public async Task Confirm_NeverAnswered_SaysWhy()
    {
        (job.Loss, job.AnswersToLose) = (new OrleansException("Error from storage provider jobs\nand its history"), int.MaxValue);
        var confirming = Task.Run(() => Decider().Confirm(3));
        await time.Waited();
        time.Advance(TimeSpan.FromMinutes(1));
        var error = await Assert.ThrowsAsync<JobException>(() => confirming.WaitAsync(TimeSpan.FromMinutes(1)));
        Assert.Equal(ErrorCodes.Deadline, error.Code);
        Assert.StartsWith(
            "Checkpoint of step 3, silo a: the job's grain did not confirm it for 30 s (Error from storage provider jobs)", error.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Confirm_AbortedWhileItAsksAgain_ThrowsTheReason()
    {
        job.AnswersToLose = int.MaxValue;
        var confirming = Task.Run(() => Decider().Confirm(3));
        await time.Waited();
        wait.Abort(Gone);
        Assert.Equal(Gone, (await Assert.ThrowsAsync<JobErrorException>(() => confirming.WaitAsync(TimeSpan.FromMinutes(1)))).Error);
    }

    private sealed class FakeCoordinator(Task<VoteReply> decision, Task<MeetReply> mesh) : ICoordinatorGrain
    {
        public Task<VoteReply> Vote(string silo, long totalSteps, StepVote vote) => decision;

        public Task<MeetReply> Meet(Generation generation, string silo, string endpoint, string fingerprint) => mesh;

        public Task Open(GenerationSetup setup) => throw new NotSupportedException();

        public Task RequestStop(Generation generation, StepControl control) => throw new NotSupportedException();

        public Task<bool> IsOpen(Generation generation) => throw new NotSupportedException();

        public Task Close(Generation generation, JobError reason) => throw new NotSupportedException();
    }
}
