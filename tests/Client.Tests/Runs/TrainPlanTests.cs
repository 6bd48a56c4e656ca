using CsCheck;
using Distributed.Client.Outcomes;
using Distributed.Client.Runs;
using Distributed.Core.DataSets;
using Distributed.Core.Models;
using Distributed.Core.Spec;

namespace Distributed.Client.Tests.Runs;

public sealed class TrainPlanTests
{
    private static readonly JobSpec Spec = new()
    {
        Name = "my job/1",
        Model = ModelSpec.Of(new SimpleCnnOptions()),
        Data = DataSpec.Of(new ShapesOptions()),
        GlobalBatch = 64,
        MicroBatch = 8,
        Steps = 10,
    };

    private static TrainPlan Make(JobSpec spec, int cores, int? ranks = null, string? directory = null, int silos = 1) =>
        TrainPlan.Make(new() { File = "job.yaml", Ranks = ranks, Silos = silos, Out = directory }, spec, cores, "/home/me", "x1");

    [Fact]
    public void Default_RanksAreTheLeastOfCoresWorkersAndMicroBatches() =>
        Gen.Select(Gen.Int[1, 32], Gen.Int[1, 32], Gen.Int[1, 32]).Sample((cores, most, microBatches) =>
        {
            var spec = Spec with { GlobalBatch = 8 * microBatches, Workers = new() { Max = most } };
            var plan = Make(spec, cores);
            Assert.Equal(Math.Min(cores, Math.Min(most, microBatches)), plan.Ranks);
            Assert.Equal((plan.Ranks, plan.Ranks), (plan.Spec.Workers.Min, plan.Spec.Workers.Max!.Value));
            Assert.Empty(plan.Warnings);
        });

    [Fact]
    public void MoreRanksThanCores_Warns() =>
        Assert.Contains("4 ranks share 2 cores", Assert.Single(Make(Spec, 2, ranks: 4).Warnings), StringComparison.Ordinal);

    [Fact]
    public void MoreRanksThanMicroBatches_IsRefused()
    {
        var failure = Assert.Throws<CommandFailure>(() => Make(Spec, 2, ranks: 9));
        Assert.Equal(2, failure.ExitCode);
        Assert.Contains("9 is more than the 8 micro-batches", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("my job/1", "my-job-1")]
    [InlineData("..", "job")]
    [InlineData("_été", "t-")]
    [InlineData(
        "a name of more than sixty letters, digits and signs, none of which are wrong", "a-name-of-more-than-sixty-letters--digits-and")]
    public void Id_AnyName_IsOneThatSilosTake(string name, string start)
    {
        var id = Make(Spec with { Name = name }, 2).JobId.ToString();
        Assert.Equal($"{start}-x1", id);
        Assert.Matches(@"\A[A-Za-z0-9][A-Za-z0-9._-]{0,47}\z", id);
    }

    [Fact]
    public void RanksOf_DealsAllOfThemInOrderAndEvenly() => Gen.Select(Gen.Int[1, 8], Gen.Int[1, 8]).Sample((ranks, silos) =>
    {
        if (silos > ranks) return;
        var plan = Make(Spec, 64, ranks, silos: silos);
        var dealt = Enumerable.Range(0, silos).Select(plan.RanksOf).ToList();
        Assert.Equal(ranks, dealt.Sum());
        Assert.InRange(dealt.Max() - dealt.Min(), 0, 1);
        Assert.InRange(dealt.Min(), 1, 8);
    });

    [Theory]
    [InlineData(2, null, 3, "--silos 3 is more than the 2 ranks of the job, so some silos would have no work. Use --ranks 3 or more")]
    [InlineData(8, 1, 2, "--silos 2 is more than the 1 rank of the job")]
    [InlineData(8, null, 9, "A step has 8 micro-batches: use at most that many silos")]
    public void MoreSilosThanRanks_IsRefused(int cores, int? ranks, int silos, string message)
    {
        var failure = Assert.Throws<CommandFailure>(() => Make(Spec, cores, ranks, silos: silos));
        Assert.Equal(2, failure.ExitCode);
        Assert.Contains(message, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Paths_AreAbsolute()
    {
        Assert.Equal("/home/me/runs/my-job-1-x1", Make(Spec, 1).Directory);
        Assert.Equal("/home/me/runs/my-job-1-x1/checkpoints", Make(Spec, 1).CheckpointPath);
        Assert.Equal("/home/me/trial", Make(Spec, 1, directory: "trial").Directory);
        Assert.Equal("/elsewhere", Make(Spec with { Checkpoint = new() { Path = "/elsewhere" } }, 1).CheckpointPath);
    }
}
