using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Core.Spec;
using Distributed.Core.Stepping;
using Distributed.Grains.Contracts;
using Distributed.Grains.Coordination;

namespace Distributed.Grains.Tests.Coordination;

public sealed class StepRendezvousTests
{
    private static StepRendezvous Open(TimeSpan? deadline = null, params string[] silos) => new(
        new GenerationSetup(
            new(1), JobSpecJson.Write(Specs.Job()), [.. silos], deadline ?? TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(5)),
        TimeProvider.System);

    [Fact]
    public async Task Vote_LastOfTwoSilos_AnswersBothAlike()
    {
        var rendezvous = Open(silos: ["a", "b"]);
        var first = rendezvous.Vote("a", 5, Specs.Vote(Specs.Fresh));
        Assert.False(first.IsCompleted);
        var second = await rendezvous.Vote("b", 5, Specs.Vote(Specs.Fresh));
        Assert.True(second.Decision!.Commit);
        Assert.Equal(second, await first);
    }

    [Fact]
    public async Task Vote_Unequal_FailsBothNamingSilosAndField()
    {
        var rendezvous = Open(silos: ["a", "b"]);
        var first = rendezvous.Vote("a", 5, Specs.Vote(Specs.Fresh, loss: 64));
        var second = await rendezvous.Vote("b", 5, Specs.Vote(Specs.Fresh, loss: 65));
        Assert.Equal(ErrorCodes.Divergence, second.Error!.Code);
        Assert.Matches("silos a and b differ in .*64 and 65", second.Error.Message);
        Assert.Equal(second.Error, (await first).Error);
    }

    [Fact]
    public async Task Vote_OtherTotalSteps_FailsNamingBothSilos()
    {
        var rendezvous = Open(silos: ["a", "b"]);
        var first = rendezvous.Vote("a", 5, Specs.Vote(Specs.Fresh));
        var second = await rendezvous.Vote("b", 6, Specs.Vote(Specs.Fresh));
        Assert.Contains("silo a counts 5 steps in all, silo b 6", second.Error!.Message, StringComparison.Ordinal);
        Assert.Equal(second.Error, (await first).Error);
    }

    /// <summary>In turns, as in a grain: two silos wait, and both waits end at the same moment.</summary>
    [Fact]
    public Task Vote_OneSiloMissing_DeadlineNamesItAndHoldsForTheLateOne() => Task.Factory.StartNew(
        OneSiloMissing, CancellationToken.None, TaskCreationOptions.None,
        new ConcurrentExclusiveSchedulerPair().ExclusiveScheduler).Unwrap();

    private static async Task OneSiloMissing()
    {
        var rendezvous = Open(TimeSpan.FromMilliseconds(50), "a", "b", "c");
        var late = rendezvous.Vote("c", 5, Specs.Vote(Specs.Fresh));
        var reply = await rendezvous.Vote("a", 5, Specs.Vote(Specs.Fresh));
        Assert.Equal(ErrorCodes.Deadline, reply.Error!.Code);
        Assert.Equal("b", reply.Error.Silo);
        Assert.StartsWith("Step 1: no vote from silo b for 0.05 s; silo a, c arrived.", reply.Error.Message, StringComparison.Ordinal);
        Assert.Equal(reply.Error, (await late).Error);
        Assert.Equal(reply.Error, (await rendezvous.Vote("b", 5, Specs.Vote(Specs.Fresh))).Error);
    }

    [Fact]
    public async Task Request_BeforeTheLastVote_ReachesAllWithThatDecision()
    {
        var rendezvous = Open(silos: ["a", "b"]);
        var first = rendezvous.Vote("a", 5, Specs.Vote(Specs.Fresh));
        rendezvous.Request(StepControl.CheckpointAndStop);
        var second = await rendezvous.Vote("b", 5, Specs.Vote(Specs.Fresh));
        Assert.Equal(StepControl.CheckpointAndStop, second.Decision!.Control);
        Assert.Equal(StepControl.CheckpointAndStop, (await first).Decision!.Control);
    }

    [Fact]
    public async Task Vote_AskedAgainForTheStepBefore_LeavesThoseWhoWaitForTheNextAlone()
    {
        var rendezvous = Open(silos: ["a", "b"]);
        _ = rendezvous.Vote("a", 5, Specs.Vote(Specs.Fresh));
        var first = (await rendezvous.Vote("b", 5, Specs.Vote(Specs.Fresh))).Decision!;
        var next = rendezvous.Vote("a", 5, Specs.Vote(first.After));
        Assert.Equal(first, (await rendezvous.Vote("b", 5, Specs.Vote(Specs.Fresh))).Decision);
        Assert.False(next.IsCompleted);
        var second = (await rendezvous.Vote("b", 5, Specs.Vote(first.After))).Decision!;
        Assert.Equal(2, second.Step);
        Assert.Equal(second, (await next).Decision);
    }

    [Fact]
    public async Task Close_WithAVoterWaiting_AnswersItWithTheReason()
    {
        var rendezvous = Open(silos: ["a", "b"]);
        var first = rendezvous.Vote("a", 5, Specs.Vote(Specs.Fresh));
        var reason = new JobError(ErrorCodes.Native, "gone", new(1), "b", "forward", 1);
        rendezvous.Close(reason);
        Assert.Equal(reason, (await first).Error);
        Assert.Equal(reason, (await rendezvous.Vote("b", 5, Specs.Vote(Specs.Fresh))).Error);
    }
}
