using Distributed.Core.Checkpoints;
using Distributed.Core.Samples;
using Distributed.Core.Spec;
using Distributed.Training.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Distributed.Training.Benchmarks;

/// <summary>A model and the batch it is timed with.</summary>
/// <param name="Batch">Samples a step of one rank.</param>
/// <param name="Steps">Steps of one timed run; the first third is warm-up.</param>
public sealed record StepCase(string Name, ModelSpec Model, int Batch, int Steps)
{
    private const int Samples = 1024;
    private const int SequenceLength = 50;

    public static IReadOnlyList<StepCase> All { get; } =
    [
        new("simple-cnn", new ModelSpec { Name = "simple-cnn" }, 64, 45),
        new("mlp 784-2048-2048-10", new ModelSpec { Name = "mlp", Sizes = new([784, 2048, 2048, 10]) }, 64, 45),
        new("sentiment-lstm", new ModelSpec { Name = "sentiment-lstm", Vocab = 10000, Embedding = 100, Hidden = 128 }, 64, 30),
        new("transformer", new ModelSpec { Name = "transformer", Width = 256, Layers = 4, Heads = 8, Vocab = 256, Sequence = 128 }, 8, 15),
        new("mlp 4096-4096-4096-10", new ModelSpec { Name = "mlp", Sizes = new([4096, 4096, 4096, 10]) }, 256, 9),
    ];

    private long[] SampleShape => Model.Name switch
    {
        "simple-cnn" => [3, 32, 32],
        "sentiment-lstm" => [SequenceLength],
        "transformer" => [Model.Sequence!.Value],
        _ => [Model.Sizes![0]],
    };

    /// <summary>A job over the case's random data file.</summary>
    public JobSpec Job(string directory, Core.Spec.Precision precision, int globalBatch, int microBatch) => new()
    {
        Name = "bench",
        Model = Model,
        Data = new DataSpec { Name = "tensors", Path = DataPath(directory) },
        Precision = precision,
        GlobalBatch = globalBatch,
        MicroBatch = microBatch,
        Steps = Steps,
        Shuffle = false,
        Optimizer = new OptimizerSpec { Name = "adamw", WeightDecay = 0.01 },
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
        return Model.Name switch
        {
            "sentiment-lstm" => (Numbers(Model.Vocab!.Value, shape), empty(Samples).random_(0, 2, generator)),
            "transformer" => (Numbers(Model.Vocab!.Value, shape), Numbers(Model.Vocab.Value, shape)),
            _ => (empty(shape).normal_(0, 1, generator), Numbers(10, Samples)),
        };

        Tensor Numbers(long bound, params long[] size) => empty(size, ScalarType.Int64).random_(0, bound, generator);
    }

    private static TensorDtype Kind(Tensor tensor) => tensor.dtype == ScalarType.Int64 ? TensorDtype.I64 : TensorDtype.F32;
}
