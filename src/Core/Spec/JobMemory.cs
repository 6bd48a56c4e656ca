using Distributed.Core.Models;
using Distributed.Core.Values;

namespace Distributed.Core.Spec;

/// <summary>Memory that a job takes on one silo at the least, computed from the job alone before anything is allocated. In bytes.</summary>
/// <remarks>
/// A lower bound: what is not sure, such as data in files, libtorch's workspaces and the exchange's buffers, is left out, so that no job
/// that fits is refused; <c>dtrain bench memory</c> holds it against measured peaks.
/// </remarks>
/// <param name="Weights">Master weights and the optimizer's moments.</param>
/// <param name="Gradients">The reduced gradient, and each rank's own.</param>
/// <param name="Data">Data that is generated.</param>
/// <param name="Batches">Micro-batches of all ranks: one taken and one read ahead.</param>
/// <param name="Activations">What forward keeps for backward, of one micro-batch per rank.</param>
public sealed record JobMemory(double Weights, double Gradients, double Data, double Batches, double Activations)
{
    private const int FloatBytes = sizeof(float), HalfBytes = 2, TokenBytes = sizeof(long);
    public double Total => Weights + Gradients + Data + Batches + Activations;

    /// <param name="ranks">Of the job, on the silo.</param>
    public static JobMemory Of(JobSpec spec, int ranks)
    {
        var parameters = spec.Model.Options.ParameterCount;
        var data = spec.Data.Options.Contract;
        var tokens = Tokens(spec);
        var outputBytes = spec.Precision == Precision.Float32 ? FloatBytes : HalfBytes;
        // A rank that has one micro-batch keeps its gradients in the precision of its copies of the weights.
        var gradientBytes = spec.Precision == Precision.Float32 ? FloatBytes : HalfBytes;
        return new(
            parameters * FloatBytes * (1 + spec.Optimizer.Options.MomentCount),
            parameters * (FloatBytes + ((double)gradientBytes * ranks)),
            data.KeptBytes > 0 ? (double)data.MostSamples * data.KeptBytes : 0,
            2.0 * ranks * spec.MicroBatch * InputBytes(spec.Model.Options.Contract, tokens),
            (double)ranks * Math.Min(spec.MicroBatch, data.MostSamples) * spec.Model.Options.OutputCount(tokens) * outputBytes);
    }

    /// <summary>With the file of a data set that is one, which is read into memory whole; its path is as it is here.</summary>
    public JobMemory Reading(DataSpec data)
    {
        if (data is not { Options.Contract.IsOneFile: true, Path: { } path } || !File.Exists(path)) return this;
        return this with { Data = Data + new FileInfo(File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path).Length };
    }

    public override string ToString() =>
        $"at least {MemorySize.Text(Total)}: {MemorySize.Text(Weights)} for weights and optimizer, {MemorySize.Text(Gradients)} for "
        + $"gradients, {(Data > 0 ? $"{MemorySize.Text(Data)} for data, " : "")}{MemorySize.Text(Batches)} for micro-batches, "
        + $"{MemorySize.Text(Activations)} for activations";

    private static double InputBytes(ModelContract model, double tokens) =>
        model.TakesTokens ? tokens * TokenBytes : (double)model.Numbers * FloatBytes;

    /// <summary>Tokens of a sample: those that the job asks for; of files that it cannot know, one.</summary>
    private static double Tokens(JobSpec spec) =>
        spec.Data.Options.Contract is { IsOpen: false } data ? data.Tokens ?? spec.Model.Options.Contract.MostTokens ?? 1 : 1;
}
