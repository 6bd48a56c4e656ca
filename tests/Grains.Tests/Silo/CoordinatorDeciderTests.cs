using Distributed.Core;
using Distributed.Core.Events;
using Distributed.Core.Stepping;
using Distributed.Grains.Coordination;
using Distributed.Silo.Ranks;

namespace Distributed.Grains.Tests.Silo;

public sealed class CoordinatorDeciderTests
{
    private static readonly JobError Gone = new(ErrorCodes.Native, "rank 1 is gone", 1, "b", "forward", 3);

    private static CoordinatorDecider Decider(Task<VoteReply> reply, TimeSpan? deadline = null) =>
        new(new FakeCoordinator(reply), "a", deadline ?? TimeSpan.FromSeconds(30));

    [Fact]
    public void Decide_Decision_ReturnsItAndRemembersTheSteps()
    {
        var decision = new StepDecision(1, true, Specs.Fresh, 1, 0.1, StepControl.GoOn, null);
        using var decider = Decider(Task.FromResult(new VoteReply(decision, null)));
        Assert.Same(decision, decider.Decide(Specs.Vote(Specs.Fresh), 7));
        Assert.Equal(7, decider.TotalSteps);
    }

    [Fact]
    public void Decide_Refused_ThrowsItsCodeAndMessage()
    {
        using var decider = Decider(Task.FromResult(new VoteReply(null, Gone)));
        var error = Assert.Throws<JobException>(() => decider.Decide(Specs.Vote(Specs.Fresh), 7));
        Assert.Equal((Gone.Code, Gone.Message), (error.Code, error.Message));
    }

    [Fact]
    public async Task Decide_AbortedWhileWaiting_EndsAtOnceWithTheReason()
    {
        using var decider = Decider(new TaskCompletionSource<VoteReply>().Task);
        var waiting = Task.Run(() => decider.Decide(Specs.Vote(Specs.Fresh), 7));
        decider.Abort(Gone);
        decider.Abort(Gone with { Message = "later" });
        var error = await Assert.ThrowsAsync<JobException>(() => waiting.WaitAsync(TimeSpan.FromSeconds(10)));
        Assert.Equal(Gone.Message, error.Message);
    }

    [Fact]
    public void Decide_NoAnswer_DeadlineNamesSiloAndStep()
    {
        using var decider = Decider(new TaskCompletionSource<VoteReply>().Task, TimeSpan.FromSeconds(-9.9));
        var error = Assert.Throws<JobException>(() => decider.Decide(Specs.Vote(Specs.Fresh), 7));
        Assert.Equal(ErrorCodes.Deadline, error.Code);
        Assert.StartsWith("Step 1, silo a: no decision from the coordinator", error.Message, StringComparison.Ordinal);
    }

    private sealed class FakeCoordinator(Task<VoteReply> reply) : ICoordinatorGrain
    {
        public Task<VoteReply> Vote(string silo, long totalSteps, StepVote vote) => reply;

        public Task Open(GenerationSetup setup) => throw new NotSupportedException();

        public Task RequestStop(int generation, StepControl control) => throw new NotSupportedException();

        public Task Close(int generation, JobError reason) => throw new NotSupportedException();
    }
}
