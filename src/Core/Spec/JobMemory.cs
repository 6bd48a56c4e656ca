using Distributed.Core.Values;

namespace Distributed.Core.Spec;

/// <summary>Memory that a job takes on one silo at the least, computed from the job alone before anything is allocated. In bytes.</summary>
/// <remarks>A lower bound: what is not sure, such as data in files, libtorch's workspaces and the exchange's buffers, is left out, so that no job that fits is refused; <c>dtrain bench memory</c> holds it against measured peaks.</remarks>
/// <param name="Weights">Master weights and the optimizer's moments.</param>
/// <param name="Gradients">The reduced gradient, and each rank's own.</param>
/// <param name="Data">Data that is generated.</param>
/// <param name="Batches">Micro-batches of all ranks: one taken and one read ahead.</param>
/// <param name="Activations">What forward keeps for backward, of one micro-batch a rank.</param>
public sealed record JobMemory(double Weights, double Gradients, double Data, double Batches, double Activations)
{
    private const int FloatBytes = sizeof(float), HalfBytes = 2, TokenBytes = sizeof(long);
    private const int ImagePixels = 3 * 32 * 32;

    /// <summary>Outputs of simple-cnn's convolutions and poolings for one image.</summary>
    private const int CnnOutputs = (32 * 32 * 32) + (32 * 16 * 16) + (64 * 16 * 16) + (64 * 8 * 8);

    private const int CnnParameters = (32 * 27) + 32 + (64 * 288) + 64 + (10 * 4096) + 10;

    public double Total => Weights + Gradients + Data + Batches + Activations;

    /// <param name="ranks">Of the job, on the silo.</param>
    public static JobMemory Of(JobSpec spec, int ranks)
    {
        var parameters = Parameters(spec.Model);
        var moments = spec.Optimizer.Name == JobWords.Sgd ? spec.Optimizer.Momentum > 0 ? 1 : 0 : 2;
        var outputBytes = spec.Precision == Precision.Float32 ? FloatBytes : HalfBytes;
        // A rank that has one micro-batch keeps its gradients in the precision of its copies of the weights.
        var gradientBytes = spec.Precision == Precision.Float32 ? FloatBytes : HalfBytes;
        return new(
            parameters * FloatBytes * (1 + moments),
            parameters * (FloatBytes + ((double)gradientBytes * ranks)),
            spec.Data.Name == JobWords.Shapes ? (double)(spec.Data.Samples ?? 0) * ImagePixels : 0,
            2.0 * ranks * spec.MicroBatch * InputBytes(spec),
            (double)ranks * Math.Min(spec.MicroBatch, Samples(spec.Data)) * Outputs(spec) * outputBytes);
    }

    /// <summary>With the file of a data set that is one, which is read into memory whole; its path is as it is here.</summary>
    public JobMemory Reading(DataSpec data)
    {
        if (data is not { Name: JobWords.Text or JobWords.Tensors, Path: { } path } || !File.Exists(path)) return this;
        return this with { Data = Data + new FileInfo(File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path).Length };
    }

    /// <summary>Parameters of a model; 0 for what is not given.</summary>
    public static double Parameters(ModelSpec model) => model switch
    {
        { Name: JobWords.SimpleCnn } => CnnParameters,
        { Name: JobWords.Mlp, Sizes: { } sizes } => sizes.Zip(sizes.Skip(1), (from, to) => (from + 1.0) * to).Sum(),
        { Name: JobWords.SentimentLstm, Vocab: { } vocab, Embedding: { } embedding, Hidden: { } hidden } => ((double)vocab * embedding) + (4.0 * hidden * (embedding + hidden + 2.0)),
        { Name: JobWords.Transformer, Width: { } width, Layers: { } layers, Vocab: { } vocab, Sequence: { } sequence } =>
            (layers * ((12.0 * width) + 13) * width) + (width * (2.0 * vocab + sequence + 2)) + vocab,
        _ => 0,
    };

    public override string ToString() =>
        $"at least {MemorySize.Text(Total)}: {MemorySize.Text(Weights)} for weights and optimizer, {MemorySize.Text(Gradients)} for gradients, {(Data > 0 ? $"{MemorySize.Text(Data)} for data, " : "")}{MemorySize.Text(Batches)} for micro-batches, {MemorySize.Text(Activations)} for activations";

    private static double InputBytes(JobSpec spec) => spec.Model switch
    {
        { Name: JobWords.SimpleCnn } => ImagePixels * FloatBytes,
        { Name: JobWords.Mlp, Sizes: [var inputs, ..] } => (double)inputs * FloatBytes,
        _ => Tokens(spec) * TokenBytes,
    };

    /// <summary>No micro-batch has more samples than the set.</summary>
    private static int Samples(DataSpec data) => data.Name switch
    {
        JobWords.Shapes => data.Samples ?? 1,
        JobWords.Cifar10 => 50_000,
        JobWords.Mnist => 60_000,
        JobWords.Imdb => 25_000,
        _ => int.MaxValue,
    };

    /// <summary>Tokens of a sample: those that the job asks for; of files that it cannot know, one.</summary>
    private static double Tokens(JobSpec spec) => spec.Data.Name == JobWords.Tensors ? 1 : spec.Data.Length ?? spec.Model.Sequence ?? 1;

    /// <summary>Numbers that the layers give for one sample.</summary>
    private static double Outputs(JobSpec spec) => spec.Model switch
    {
        { Name: JobWords.SimpleCnn } => CnnOutputs,
        { Name: JobWords.Mlp, Sizes: { } sizes } => sizes.Skip(1).Sum(size => (double)size),
        { Name: JobWords.SentimentLstm, Embedding: { } embedding, Hidden: { } hidden } => Tokens(spec) * (embedding + hidden),
        // Each token attends to all, in each head.
        { Name: JobWords.Transformer, Width: { } width, Layers: { } layers, Heads: { } heads, Vocab: { } vocab } =>
            Tokens(spec) * (vocab + (layers * ((8.0 * width) + (heads * Tokens(spec))))),
        _ => 0,
    };
}
