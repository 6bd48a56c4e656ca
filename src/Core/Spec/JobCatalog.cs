using Distributed.Core.DataSets;
using Distributed.Core.Models;
using Distributed.Core.Optimizers;
using Distributed.Core.Options;
using Distributed.Core.Schedules;

namespace Distributed.Core.Spec;

/// <summary>What a job file can name: the models, data sets, optimizers and schedules that this program knows.</summary>
public sealed record JobCatalog
{
    private static JobCatalog current = new();

    /// <summary>What every job of this process is read with.</summary>
    public static JobCatalog Current => Volatile.Read(ref current);

    public Registry<ModelOptions> Models { get; init; } = new("model",
    [
        Descriptor.Of<SimpleCnnOptions>("simple-cnn", "Two 3x3 convolutions with pooling and one linear layer, for images of 3x32x32."),
        Descriptor.Of<MlpOptions>("mlp", "Linear layers with ReLU between them."),
        Descriptor.Of<SentimentLstmOptions>("sentiment-lstm", "Embedding, one LSTM layer, and a linear layer on its last hidden state."),
        Descriptor.Of<TransformerOptions>("transformer", "Decoder-only transformer that predicts each next token."),
    ]);

    public Registry<DataOptions> DataSets { get; init; } = new("data",
    [
        Descriptor.Of<Cifar10Options>("cifar10", "CIFAR-10: images of 3x32x32 in 10 classes."),
        Descriptor.Of<MnistOptions>("mnist", "MNIST and sets of its form: images of 1x28x28 in 10 classes."),
        Descriptor.Of<ImdbOptions>("imdb", "IMDB: reviews, each good or bad."),
        Descriptor.Of<TextOptions>("text", "A text, each byte a token."),
        Descriptor.Of<TensorsOptions>("tensors", "Ready-made samples in a safetensors file."),
        Descriptor.Of<ShapesOptions>("shapes", "Images of 3x32x32 in 10 classes that are drawn."),
    ]);

    public Registry<OptimizerOptions> Optimizers { get; init; } = new("optimizer",
    [
        Descriptor.Of<SgdOptions>("sgd", "SGD with momentum and Nesterov's variant; weight decay is added to the gradient."),
        Descriptor.Of<AdamOptions>("adam", "Adam; weight decay is added to the gradient."),
        Descriptor.Of<AdamWOptions>("adamw", "AdamW; weight decay is decoupled."),
    ]);

    public Registry<ScheduleOptions> Schedules { get; init; } = new("schedule",
    [
        Descriptor.Of<ConstantOptions>("constant", "The same rate to the end."),
        Descriptor.Of<LinearOptions>("linear", "In a straight line to 0 at the last step."),
        Descriptor.Of<CosineOptions>("cosine", "Along half a cosine to 0 at the last step."),
    ]);

    /// <summary>Adds to what this process knows; at its start, before it reads a job.</summary>
    public static void Extend(Func<JobCatalog, JobCatalog> extend)
    {
        JobCatalog before;
        do before = Current;
        while (Interlocked.CompareExchange(ref current, extend(before), before) != before);
    }
}
