using Distributed.Core.Jobs;
using JobPrecision = Distributed.Core.Jobs.Precision;

namespace Distributed.Training.Tests.Loop;

public sealed class LeakTests
{
    [Theory]
    [InlineData("simple-cnn")]
    [InlineData("mlp")]
    public void Train_ManySteps_LeavesTensorCountAndMemoryFlat(string model)
    {
        var job = TrainingHarness.Shapes(JobPrecision.MixedBFloat16) with
        {
            GlobalBatch = 8,
            MicroBatch = 2,
            Steps = 1000,
            ClipNorm = 1,
            Model = model == "mlp" ? new ModelSpec { Name = "mlp", Sizes = new([3072, 16, 10]), Dropout = 0.2 } : new ModelSpec { Name = model },
        };
        TrainingHarness.Run(job with { Steps = 200 }, 2);
        // What other tests left to the collector must not leave during the run; what the run leaves must be seen, so no collection after it.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var (tensors, resident) = (TorchSharp.torch.Tensor.TotalCount, Environment.WorkingSet);
        TrainingHarness.Run(job, 2);
        Assert.Equal(tensors, TorchSharp.torch.Tensor.TotalCount);
        Assert.InRange(Environment.WorkingSet - resident, long.MinValue, 48L << 20);
    }
}
