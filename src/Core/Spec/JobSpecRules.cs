using Distributed.Core.Documents;

namespace Distributed.Core.Spec;

/// <summary>What the parts of a job must satisfy together.</summary>
internal static class JobSpecRules
{
    private const int ImageClasses = 10;

    /// <summary>Channels of an image data set; null for anything else.</summary>
    public static int? Channels(string? data) => data switch
    {
        JobWords.Cifar10 or JobWords.Shapes => 3,
        JobWords.Mnist => 1,
        _ => null,
    };

    public static void Batches(SpecSection job, JobSpec spec)
    {
        if (spec.GlobalBatch % spec.MicroBatch != 0)
        {
            job.Fail("microBatch", FormattableString.Invariant($"found {spec.MicroBatch}, which does not divide globalBatch {spec.GlobalBatch}, expected {Divisors(spec.GlobalBatch, spec.MicroBatch)}"));
            return;
        }

        if (spec.Workers.Min > spec.MicroBatches)
            job.Fail("workers.min", FormattableString.Invariant($"found {spec.Workers.Min}, but a step has only {spec.MicroBatches} micro-batches (globalBatch {spec.GlobalBatch} / microBatch {spec.MicroBatch}), expected at most that; lower it or microBatch"));
    }

    public static void ModelAndData(SpecSection job, JobSpec spec)
    {
        var (model, data) = (spec.Model, spec.Data.Name);
        if (model.Name.Length == 0 || data is "" or JobWords.Tensors) return;
        if (model.Name == JobWords.Transformer || data == JobWords.Text)
        {
            TransformerAndText(job, spec);
        }
        else if (model.Name == JobWords.SentimentLstm)
        {
            if (data != JobWords.Imdb) job.Fail("data.name", $"found {data} with model sentiment-lstm, which reads tokens, expected imdb or tensors");
            else if (model.Vocab < 3) job.Fail("model.vocab", FormattableString.Invariant($"found {model.Vocab}, expected 3 or more: imdb uses ids 0 for padding and 1 for unknown words"));
        }
        else if (Channels(data) is not { } channels)
        {
            job.Fail("data.name", $"found {data} with model {model.Name}, which reads no tokens, expected an image set or tensors");
        }
        else if (model.Name == JobWords.SimpleCnn && channels != 3)
        {
            job.Fail("data.name", $"found {data} with model simple-cnn, which needs images of 3x32x32, expected cifar10, shapes or tensors");
        }
        else if (model is { Name: JobWords.Mlp, Sizes: { Count: >= 2 } sizes })
        {
            var inputs = channels == 3 ? 3 * 32 * 32 : 28 * 28;
            if (sizes[0] != inputs) job.Fail("model.sizes", FormattableString.Invariant($"found widths that start with {sizes[0]}, expected {inputs}, the pixels of one image of {data}"));
            if (sizes[^1] < ImageClasses) job.Fail("model.sizes", FormattableString.Invariant($"found widths that end with {sizes[^1]}, expected at least {ImageClasses}, the classes of {data}"));
        }
    }

    public static void PrecisionAndModel(SpecSection job, JobSpec spec)
    {
        if (spec is { Precision: Precision.MixedFloat16, Model.Name: JobWords.SentimentLstm, Workers.Device: "cpu" })
            job.Fail("precision", "found mixed_float16 with sentiment-lstm on cpu, where libtorch has no float16 LSTM and ends the process, expected mixed_bfloat16 or float32, or workers.device cuda");
    }

    private static void TransformerAndText(SpecSection job, JobSpec spec)
    {
        var (model, data) = (spec.Model, spec.Data);
        if (data.Name != JobWords.Text)
            job.Fail("data.name", $"found {data.Name} with model transformer, which predicts the next token of a sequence, expected text or tensors");
        else if (model.Name != JobWords.Transformer)
            job.Fail("data.name", $"found text with model {model.Name}, which predicts no tokens, expected model.name transformer or another data set");
        else if (data.Length > model.Sequence)
            job.Fail("data.length", FormattableString.Invariant($"found {data.Length}, expected at most model.sequence, {model.Sequence}"));
    }

    /// <summary>The divisors of a number next to another, for what an error expects.</summary>
    public static string Divisors(int number, int near)
    {
        var below = Math.Min(near, number);
        while (number % below != 0) below--;
        if (near >= number) return FormattableString.Invariant($"{below}");
        var above = near;
        while (number % above != 0) above++;
        return FormattableString.Invariant($"{below} or {above}");
    }
}
