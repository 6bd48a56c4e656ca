using CsCheck;
using Distributed.Core.DataSets;
using Distributed.Core.Models;
using Distributed.Core.Samples;
using Distributed.Core.Spec;

namespace Distributed.Core.Tests.Samples;

public class SamplePlanTests
{
    private static readonly Gen<(int Count, int Micro, int V, bool Shuffle, long Seed)> Shapes =
        Gen.Select(Gen.Int[1, 200], Gen.Int[1, 9], Gen.Int[1, 12], Gen.Bool, Gen.Long);

    [Fact]
    public void Fill_FiniteSet_EachEpochVisitsEachSampleOnce() =>
        Shapes.Sample(s =>
        {
            var plan = new SamplePlan(s.Count, s.Micro * s.V, s.Micro, s.Shuffle, endless: false, s.Seed);
            for (var epoch = 0; epoch < 3; epoch++)
            {
                var first = (epoch * plan.StepsPerEpoch) + 1;
                var seen = Steps(first, plan.StepsPerEpoch).SelectMany(step => StepOf(plan, step)).ToArray();

                Assert.Equal(Enumerable.Range(0, s.Count), seen.Order());
                Assert.All(Steps(first, plan.StepsPerEpoch), step => Assert.Equal(epoch, plan.EpochOf(step)));
                if (!s.Shuffle) Assert.Equal(Enumerable.Range(0, s.Count), seen);
            }
        });

    [Fact]
    public void Fill_ShortLastBatch_FillsMicroBatchesInOrder() =>
        Shapes.Sample(s =>
        {
            var plan = new SamplePlan(s.Count, s.Micro * s.V, s.Micro, s.Shuffle, endless: false, s.Seed);
            var items = Enumerable.Range(0, s.V).Select(m => plan.ItemsOf(plan.StepsPerEpoch, m)).ToArray();

            Assert.Equal(plan.ItemsOf(plan.StepsPerEpoch), items.Sum());
            Assert.Equal(items.OrderDescending(), items);
            Assert.True(items.Count(n => n > 0 && n < s.Micro) <= 1);
        });

    [Fact]
    public void Fill_EndlessSet_OneStreamThatWrapsRound() =>
        Shapes.Sample(s =>
        {
            var globalBatch = s.Micro * s.V;
            var plan = new SamplePlan(s.Count, globalBatch, s.Micro, s.Shuffle, endless: true, s.Seed);
            var stream = Steps(1, 8).SelectMany(step => StepOf(plan, step)).ToArray();
            var expected = Enumerable.Range(0, 8 * globalBatch).Select(p => s.Shuffle
                ? EpochOrder.Permutation(s.Count, s.Seed, p / s.Count)[p % s.Count]
                : p % s.Count);

            Assert.Equal(expected, stream);
            Assert.All(Steps(1, 8), step => Assert.Equal((step - 1) * globalBatch / s.Count, plan.EpochOf(step)));
        }, iter: 60);

    [Fact]
    public void Fill_OutOfOrderAndFromManyThreads_SameSamples()
    {
        var plan = new SamplePlan(1000, 64, 8, shuffle: true, endless: false, 7);
        var expected = Steps(1, 200).Select(step => StepOf(new SamplePlan(1000, 64, 8, true, false, 7), step)).ToArray();

        Parallel.For(0, 400, i => Assert.Equal(expected[i * 77 % 200], StepOf(plan, (i * 77 % 200) + 1)));
    }

    [Theory]
    [InlineData(false, 3, 3 * 4)]
    [InlineData(true, 3, 10)]
    public void TotalSteps_Epochs_CountsShortBatchesOnlyWhenFinite(bool endless, int epochs, long expected)
    {
        var plan = new SamplePlan(100, 32, 8, true, endless, 0);

        Assert.Equal(expected, plan.TotalSteps(Spec() with { Epochs = epochs }));
        Assert.Equal(77, plan.TotalSteps(Spec() with { Steps = 77 }));
    }

    private static JobSpec Spec() => new()
    {
        Name = "t",
        Model = ModelSpec.Of(new SimpleCnnOptions()),
        Data = DataSpec.Of(new ShapesOptions()),
        GlobalBatch = 32,
        MicroBatch = 8,
    };

    private static IEnumerable<long> Steps(long first, long count)
    {
        for (var i = 0L; i < count; i++) yield return first + i;
    }

    private static int[] StepOf(SamplePlan plan, long step)
    {
        var samples = new List<int>();
        var buffer = new int[64];
        for (var m = 0; m < plan.MicroBatches; m++)
        {
            var items = plan.Fill(step, m, buffer);
            Assert.Equal(plan.ItemsOf(step, m), items);
            samples.AddRange(buffer.AsSpan(0, items));
        }

        Assert.Equal(plan.ItemsOf(step), samples.Count);
        return [.. samples];
    }
}
