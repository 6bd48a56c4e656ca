using System.Runtime.InteropServices;
using CsCheck;
using Distributed.Core.DataSets;
using Distributed.Core.Jobs;
using Distributed.Core.Samples;
using Distributed.Core.Spec;
using Distributed.Core.Values;
using Distributed.Training.Data;

namespace Distributed.Training.Tests.Data;

public class BatchPrefetcherTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(5);

    [Fact]
    public void Take_AnyRange_GivesThePlansSamplesInOrder() =>
        Gen.Select(Gen.Int[1, 50], Gen.Int[1, 5], Gen.Int[0, 4], Gen.Int[0, 4], Gen.Long[1, 5]).Sample((count, micro, a, b, first) =>
        {
            var (start, end) = (Math.Min(a, b), Math.Max(a, b));
            var plan = new SamplePlan(count, micro * 4, micro, shuffle: true, endless: false, seed: 3);
            using var prefetcher = new BatchPrefetcher(
                new Numbers(count), plan, new PrefetchRange(start, end, first, first + 9, micro), ImageLayout.ChannelsFirst, null);
            var expected = new int[micro];
            for (var step = first; step <= first + 9; step++)
            {
                for (var m = start; m < end; m++)
                {
                    var batch = prefetcher.Take(Deadline);
                    var items = plan.Fill(step, m, expected);

                    Assert.Equal((step, m, items), (batch.Step, batch.MicroBatch, batch.Items));
                    Assert.Equal(expected[..items].Select(s => (long)s), LabelsOf(batch));
                    Assert.Equal((0, 0), (batch.Inputs % 64, batch.Labels % 64));
                    prefetcher.Return(batch);
                }
            }

            Assert.Throws<InvalidOperationException>(() => prefetcher.Take(Deadline));
        }, iter: 50);

    [Fact]
    public void Take_TakerHoldsBuffers_ReadsNoFurtherThanTwoSteps()
    {
        var numbers = new Numbers(100);
        using var prefetcher = new BatchPrefetcher(
            numbers, new SamplePlan(100, 8, 4, false, false, 0), new PrefetchRange(0, 2, 1, 12, 4), ImageLayout.ChannelsFirst, null);
        for (var i = 0; i < 4; i++) prefetcher.Take(Deadline);

        Assert.Equal(ErrorCodes.Deadline, Assert.Throws<JobException>(() => prefetcher.Take(TimeSpan.FromMilliseconds(50))).Code);
        Assert.Equal(4, numbers.Fills);
    }

    [Theory]
    [InlineData(4, 1000, 8)]
    [InlineData(0, 1000, 2)]
    [InlineData(1_000_000, 12_296, 256)]
    [InlineData(1_000_000, 1 << 20, 64)]
    [InlineData(8, 1L << 40, 2)]
    public void Buffers_AnyJob_AreBoundedInNumberAndBytes(int perStep, long bytes, int buffers) =>
        Assert.Equal(buffers, BatchPrefetcher.Buffers(perStep, bytes));

    [Fact]
    public void Take_ReaderHangs_DeadlineNamesStepAndMicroBatch()
    {
        using var hold = new ManualResetEventSlim();
        using var prefetcher = Of(new Numbers(100) { OnFill = fill => { if (fill == 3) hold.Wait(Deadline); } });
        for (var i = 0; i < 3; i++) prefetcher.Return(prefetcher.Take(Deadline));

        var error = Assert.Throws<JobException>(() => prefetcher.Take(TimeSpan.FromMilliseconds(20)));
        hold.Set();

        Assert.Equal(ErrorCodes.Deadline, error.Code);
        Assert.Contains("Micro-batch 1 of step 2", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, "data-invalid", "bad record")]
    [InlineData(false, "internal", "Reading data failed: odd")]
    public void Take_ReaderFails_EveryTakerLearnsWhyAfterTheGoodOnes(bool known, string code, string message)
    {
        using var prefetcher = Of(new Numbers(100)
        {
            OnFill = fill =>
            {
                if (fill == 2) throw known ? new JobException(ErrorCodes.DataInvalid, "bad record") : new InvalidOperationException("odd");
            },
        });
        for (var i = 0; i < 2; i++) prefetcher.Return(prefetcher.Take(Deadline));

        for (var i = 0; i < 2; i++)
        {
            var error = Assert.Throws<JobException>(() => prefetcher.Take(Deadline));
            Assert.Equal((code, message), (error.Code, error.Message));
        }
    }

    [Fact]
    public void Take_SteadyState_AllocatesNothing()
    {
        const int Warm = 400, End = 2_400;
        long producedBefore = 0, producedAfter = 0;
        using var prefetcher = new BatchPrefetcher(
            new Numbers(100)
            {
                OnFill = fill =>
                {
                    if (fill == Warm) producedBefore = GC.GetAllocatedBytesForCurrentThread();
                    if (fill == End) producedAfter = GC.GetAllocatedBytesForCurrentThread();
                },
            },
            new SamplePlan(100, 8, 4, false, true, 0), new PrefetchRange(0, 2, 1, End, 4), ImageLayout.ChannelsFirst, null);
        long takenBefore = 0;
        for (var i = 0; i <= End; i++)
        {
            if (i == Warm) takenBefore = GC.GetAllocatedBytesForCurrentThread();
            prefetcher.Return(prefetcher.Take(Deadline));
        }

        Assert.Equal((0L, 0L), ((producedAfter - producedBefore) / End, (GC.GetAllocatedBytesForCurrentThread() - takenBefore) / End));
    }

    [Fact]
    public void Dispose_ReaderWaitsForABuffer_EndsAtOnce()
    {
        var prefetcher = Of(new Numbers(100));
        prefetcher.Take(Deadline);

        prefetcher.Dispose();
        prefetcher.Dispose();
    }

    [Fact]
    public void Take_Augmented_DependsOnStepAndMicroBatchAlone()
    {
        var spec = Specs.Of("shapes") with { Augment = new AugmentSpec { Flip = true, Crop = 4 } };
        var split = DataSources.Open(spec with { Data = spec.Data with { Options = new ShapesOptions { Samples = 10 } } }).Train;
        var plan = new SamplePlan(10, 8, 2, false, true, 1);

        var whole = Hash(new PrefetchRange(0, 4, 1, 5, 2));
        var half = Hash(new PrefetchRange(2, 4, 3, 5, 2));

        Assert.Equal(whole.Where(h => h.Step >= 3 && h.MicroBatch >= 2), half);
        Assert.Equal(whole.Count, whole.Select(h => h.Sum).Distinct().Count());

        List<(long Step, int MicroBatch, double Sum)> Hash(PrefetchRange range)
        {
            using var prefetcher = new BatchPrefetcher(split, plan, range, ImageLayout.ChannelsLast, augmentSeed: 5);
            var sums = new List<(long, int, double)>();
            for (var i = 0; i < (range.End - range.Start) * (range.LastStep - range.FirstStep + 1); i++)
            {
                var batch = prefetcher.Take(Deadline);
                var weighted = Floats(batch, 2 * 3072).Select((v, n) => (double)v * (n + 1)).Sum();
                sums.Add((batch.Step, batch.MicroBatch, weighted));
                prefetcher.Return(batch);
            }

            return sums;
        }
    }

    private static BatchPrefetcher Of(Numbers numbers) => new(
        numbers, new SamplePlan(100, 8, 4, false, false, 0), new PrefetchRange(0, 2, 1, 12, 4), ImageLayout.ChannelsFirst, null);

    private static unsafe long[] LabelsOf(HostBatch batch) => new Span<long>((void*)batch.Labels, batch.Items).ToArray();

    private static unsafe float[] Floats(HostBatch batch, int count) => new Span<float>((void*)batch.Inputs, count).ToArray();

    /// <summary>Sample n has label n.</summary>
    private sealed class Numbers(int count) : IDataSplit
    {
        private int fills;

        public Action<int> OnFill { get; init; } = _ => { };

        public int Fills => Volatile.Read(ref fills);

        public int Count => count;

        public SampleFormat Input { get; } = SampleFormat.Scalar(ElementKind.Float32);

        public SampleFormat Label { get; } = SampleFormat.Scalar(ElementKind.Int64);

        public bool IsImage => false;

        public void Fill(ReadOnlySpan<int> samples, Span<byte> inputs, Span<byte> labels, ImageLayout layout, CounterRandom? augment)
        {
            OnFill(Interlocked.Increment(ref fills) - 1);
            var numbers = MemoryMarshal.Cast<byte, long>(labels);
            for (var i = 0; i < samples.Length; i++) numbers[i] = samples[i];
        }
    }
}
