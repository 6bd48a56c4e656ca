using CsCheck;
using Distributed.Client.Runs;
using Distributed.Core.Jobs;

namespace Distributed.Client.Tests.Runs;

public sealed class TrainPlanTests
{
    private static readonly JobSpec Spec = new()
    {
        Name = "my job/1",
        Model = new() { Name = "simple-cnn" },
        Data = new() { Name = "shapes" },
        GlobalBatch = 64,
        MicroBatch = 8,
        Steps = 10,
    };

    private static TrainPlan Make(JobSpec spec, int cores, int? ranks = null, string? directory = null) =>
        TrainPlan.Make(new() { File = "job.yaml", Ranks = ranks, Out = directory }, spec, cores, "/home/me", "x1");

    [Fact]
    public void Default_RanksAreTheLeastOfCoresWorkersAndMicroBatches() => Gen.Select(Gen.Int[1, 32], Gen.Int[1, 32], Gen.Int[1, 32]).Sample((cores, most, microBatches) =>
    {
        var spec = Spec with { GlobalBatch = 8 * microBatches, Workers = new() { Max = most } };
        var plan = Make(spec, cores);
        Assert.Equal(Math.Min(cores, Math.Min(most, microBatches)), plan.Ranks);
        Assert.Equal((plan.Ranks, plan.Ranks), (plan.Spec.Workers.Min, plan.Spec.Workers.Max!.Value));
        Assert.Empty(plan.Warnings);
    });

    [Fact]
    public void MoreRanksThanCores_Warns() => Assert.Contains("4 ranks share 2 cores", Assert.Single(Make(Spec, 2, ranks: 4).Warnings), StringComparison.Ordinal);

    [Fact]
    public void MoreRanksThanMicroBatches_IsRefused()
    {
        var failure = Assert.Throws<CommandFailure>(() => Make(Spec, 2, ranks: 9));
        Assert.Equal(2, failure.ExitCode);
        Assert.Contains("9 is more than the 8 micro-batches", failure.Message, StringComparison.Ordinal);
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
