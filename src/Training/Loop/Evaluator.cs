using System.Runtime.InteropServices;
using Distributed.Core.Samples;
using Distributed.Training.Data;
using Distributed.Training.Models;
using Distributed.Training.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Distributed.Training.Loop;

/// <summary>
/// Loss and accuracy over the test split: each sample once, in fixed batches dealt to the ranks and folded in batch order.
/// </summary>
/// <remarks>A function of the weights and the split alone: which rank computes a batch changes no bit.</remarks>
internal sealed unsafe class Evaluator(JobRuntime job, IDataSplit split)
{
    private const int LargestBatch = 256;
    private const long LargestBatchBytes = 1L << 28;
    private const long MostLabels = 4096;

    /// <summary>A function of the data alone, so that the metrics are.</summary>
    private static int BatchSizeFor(IDataSplit split) =>
        (int)Math.Clamp(Math.Min(LargestBatchBytes / Math.Max(1, split.Input.Bytes), MostLabels / split.Label.Elements), 1, LargestBatch);

    private readonly int batchSize = BatchSizeFor(split);
    private readonly double[] losses = new double[(split.Count + BatchSizeFor(split) - 1) / BatchSizeFor(split)];
    private readonly long[] correct = new long[(split.Count + BatchSizeFor(split) - 1) / BatchSizeFor(split)];

    /// <summary>Computes this rank's share of the batches.</summary>
    public void Run(int index, IReadOnlyList<Tensor> leaves)
    {
        var ranks = job.Options.Ranks.Count;
        var inputs = (byte*)NativeMemory.AlignedAlloc((nuint)(split.Input.Bytes * batchSize), 64);
        var labels = (byte*)NativeMemory.AlignedAlloc((nuint)(split.Label.Bytes * batchSize), 64);
        try
        {
            using var _ = no_grad();
            for (var batch = index; batch < losses.Length; batch += ranks)
            {
                AbortSignal.ThrowIfRaised();
                RunBatch(batch, leaves, inputs, labels);
            }
        }
        finally
        {
            NativeMemory.AlignedFree(inputs);
            NativeMemory.AlignedFree(labels);
        }
    }

    /// <summary>The metrics over all batches, once every rank has run.</summary>
    public IReadOnlyDictionary<string, double> Metrics() => new Dictionary<string, double>
    {
        ["loss"] = losses.Sum() / split.Count,
        ["accuracy"] = correct.Sum() / ((double)split.Count * split.Label.Elements),
    };

    private void RunBatch(int batch, IReadOnlyList<Tensor> leaves, byte* inputs, byte* labels)
    {
        using var scope = NewDisposeScope();
        var items = Math.Min(batchSize, split.Count - batch * batchSize);
        Span<int> samples = stackalloc int[items];
        for (var i = 0; i < items; i++) samples[i] = batch * batchSize + i;
        split.Fill(
            samples, new Span<byte>(inputs, (int)split.Input.Bytes * items), new Span<byte>(labels, (int)split.Label.Bytes * items),
            job.Model.InputLayout, augment: null);
        var (x, y) = BatchTensors.Upload(job.Device, split, job.Model.InputLayout, (nint)inputs, (nint)labels, items);
        using (job.Precision.Forward(job.Device.Type))
        {
            var logits = job.Model.Forward(leaves, x, DropoutMask.Off).to_type(ScalarType.Float32);
            losses[batch] = job.Device.Read(job.Model.Loss.Sum(logits, y));
            correct[batch] = job.Model.Loss.Correct(logits, y);
        }
    }
}
