using Distributed.Core.Jobs;
using Distributed.Core.Spec;

namespace Distributed.Training.Models;

/// <summary>The models a job can name.</summary>
internal static class ModelCatalog
{
    /// <exception cref="JobException">Code <c>spec-invalid</c>: unknown name or missing key.</exception>
    public static IModel Create(ModelSpec spec) => spec.Name switch
    {
        "simple-cnn" => new SimpleCnn(),
        "mlp" => new Mlp(spec.Sizes ?? throw Missing("sizes")),
        "sentiment-lstm" => new SentimentLstm(
            spec.Vocab ?? throw Missing("vocab"), spec.Embedding ?? throw Missing("embedding"), spec.Hidden ?? throw Missing("hidden")),
        "transformer" => new Transformer(
            spec.Width ?? throw Missing("width"), spec.Layers ?? throw Missing("layers"), spec.Heads ?? throw Missing("heads"),
            spec.Vocab ?? throw Missing("vocab"), spec.Sequence ?? throw Missing("sequence")),
        _ => throw new JobException(
            ErrorCodes.SpecInvalid, $"model.name is '{spec.Name}'; known models are simple-cnn, mlp, sentiment-lstm and transformer."),
    };

    private static JobException Missing(string key) => new(ErrorCodes.SpecInvalid, $"model.{key} is missing.");
}
