using Distributed.Core.DataSets;
using Distributed.Core.Events;
using Distributed.Core.Models;
using Distributed.Core.Spec;
using Distributed.Testing.Training;
using TorchSharp;
using JobPrecision = Distributed.Core.Spec.Precision;

namespace Distributed.Training.Tests.Loop;

/// <remarks>Alone: the count of live tensors and the memory in use are the whole process's.</remarks>
[CollectionDefinition(nameof(LeakTests), DisableParallelization = true)]
[Collection(nameof(LeakTests))]
public sealed class LeakTests
{
    private const int Windows = 3;

    [Theory]
    [InlineData("simple-cnn")]
    [InlineData("mlp")]
    [InlineData("transformer")]
    public void Train_ManySteps_LeavesTensorCountAndMemoryFlat(string model)
    {
        var job = TrainingHarness.Shapes(JobPrecision.MixedBFloat16) with
        {
            GlobalBatch = 8,
            MicroBatch = 2,
            Steps = 250,
            ClipNorm = 1,
            Model = model switch
            {
                "mlp" => ModelSpec.Of(new MlpOptions { Sizes = new([3072, 16, 10]), Dropout = 0.2 }),
                "transformer" =>
                    ModelSpec.Of(new TransformerOptions { Width = 16, Layers = 1, Heads = 2, Vocab = 256, Sequence = 8, Dropout = 0.2 }),
                _ => ModelSpec.Of(new SimpleCnnOptions()),
            },
        };
        // Any file is a text: this assembly is one that is always there.
        if (model == "transformer") job = job with { Data = DataSpec.Of(new TextOptions(), typeof(LeakTests).Assembly.Location) };
        TrainingHarness.Run(job with { Steps = 50 }, 2);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var tensors = torch.Tensor.TotalCount;
        // A leak grows in every window; a heap that the runtime or the allocator chose to enlarge grows in some.
        var growth = Enumerable.Range(0, Windows).Select(_ => Growth(job)).ToList();
        Assert.Equal(tensors, torch.Tensor.TotalCount);
        Assert.InRange(growth.Min(), long.MinValue, 8L << 20);
    }

    [Fact]
    public void Train_Evaluation_GivesFreeMemoryBack()
    {
        const int tensors = 32, floats = 2 << 20;
        var job = TrainingHarness.Shapes() with { Steps = 2, Evaluate = new EvaluateSpec { EverySteps = 1 } };
        TrainingHarness.Run(job, 1);
        foreach (var block in Enumerable.Range(0, tensors).Select(_ => torch.ones(floats)).ToList()) block.Dispose();
        Dictionary<(string Event, long Step), long> resident = [];
        TrainingHarness.Run(job, 1, seen: news =>
        {
            if (news is StepEvent step) resident[("step", step.Step)] = Environment.WorkingSet;
            if (news is EvalEvent eval) resident[("eval", eval.Step)] = Environment.WorkingSet;
        });
        Assert.InRange(resident[("step", 1)] - resident[("eval", 1)], tensors * floats * sizeof(float) / 2L, long.MaxValue);
    }

    private static long Growth(JobSpec job)
    {
        var before = Environment.WorkingSet;
        TrainingHarness.Run(job, 2);
        return Environment.WorkingSet - before;
    }
}
