using Distributed.Core.Checkpoints;
using Distributed.Core.DataSets;
using Distributed.Core.Models;
using Distributed.Core.Optimizers;
using Distributed.Core.Samples;
using Distributed.Core.Spec;
using Distributed.Training.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Distributed.Bench.Step;

/// <summary>A model and the batch it is timed with.</summary>
/// <param name="Batch">Samples a step of one rank.</param>
/// <param name="Steps">Steps of one timed run, warm-up too.</param>
public sealed record StepCase(string Name, ModelSpec Model, int Batch, int Steps)
{
    private const int Samples = 1024;
    private const int SequenceLength = 50;

    public static IReadOnlyList<StepCase> All { get; } =
    [
        new("simple-cnn", ModelSpec.Of(new SimpleCnnOptions()), 64, 90),
        new("mlp 784-2048-2048-10", ModelSpec.Of(new MlpOptions { Sizes = new([784, 2048, 2048, 10]) }), 64, 90),
        new("sentiment-lstm", ModelSpec.Of(new SentimentLstmOptions { Vocab = 10000, Embedding = 100, Hidden = 128 }), 64, 48),
        new("transformer", ModelSpec.Of(new TransformerOptions { Width = 256, Layers = 4, Heads = 8, Vocab = 256, Sequence = 128 }), 8, 24),
        new("mlp 4096-4096-4096-10", ModelSpec.Of(new MlpOptions { Sizes = new([4096, 4096, 4096, 10]) }), 256, 12),
    ];

    private ModelContract Takes => Model.Options.Contract;

    private long[] SampleShape => Takes.TakesTokens ? [Takes.MostTokens ?? SequenceLength] : [.. Takes.Shape ?? [Takes.Numbers]];

    /// <summary>A job over the case's random data file.</summary>
    public JobSpec Job(string directory, Core.Spec.Precision precision, int globalBatch, int microBatch) => new()
    {
        Name = "bench",
        Model = Model,
        Data = DataSpec.Of(new TensorsOptions(), DataPath(directory)),
        Precision = precision,
        GlobalBatch = globalBatch,
        MicroBatch = microBatch,
        Steps = Steps,
        Shuffle = false,
        Optimizer = OptimizerSpec.Of(new AdamWOptions { WeightDecay = 0.01 }),
    };

    /// <summary>The first batch of the data file, for the plain loop; belongs to the caller's dispose scope.</summary>
    internal (Tensor X, Tensor Y) FirstBatch()
    {
        var (x, y) = Draw();
        return (x.narrow(0, 0, Batch).clone(), y.narrow(0, 0, Batch).clone());
    }

    /// <summary>Writes the data file: random samples and labels.</summary>
    public void WriteData(string directory)
    {
        using var scope = NewDisposeScope();
        var (x, y) = Draw();
        TensorShape[] shapes = [new("x", Kind(x), new(x.shape)), new("y", Kind(y), new(y.shape))];
        using var stream = File.Create(DataPath(directory));
        SafetensorsWriter.Write(stream, shapes, null, (i, target) => target.Write((i == 0 ? x : y).bytes));
    }

    private string DataPath(string directory) => Path.Combine(directory, Name.Replace(' ', '-') + ".safetensors");

    private (Tensor X, Tensor Y) Draw()
    {
        using var generator = new Generator((ulong)(long)RandomPurpose.Samples);
        long[] shape = [Samples, .. SampleShape];
        return Takes.Labels switch
        {
            LabelKind.Binary => (Numbers(Takes.Vocabulary, shape), empty(Samples).random_(0, 2, generator)),
            LabelKind.ClassPerToken => (Numbers(Takes.Vocabulary, shape), Numbers(Takes.Vocabulary, shape)),
            _ => (empty(shape).normal_(0, 1, generator), Numbers(10, Samples)),
        };

        Tensor Numbers(long bound, params long[] size) => empty(size, ScalarType.Int64).random_(0, bound, generator);
    }

    private static TensorDtype Kind(Tensor tensor) => tensor.dtype == ScalarType.Int64 ? TensorDtype.I64 : TensorDtype.F32;
}
