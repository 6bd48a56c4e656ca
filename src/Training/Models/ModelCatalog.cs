using Distributed.Core.Models;

namespace Distributed.Training.Models;

/// <summary>Builds the model that options describe.</summary>
internal static class ModelCatalog
{
    /// <summary>The built-in models by their options.</summary>
    private static readonly Dictionary<Type, Func<ModelOptions, IModel>> BuiltIn = new()
    {
        [typeof(SimpleCnnOptions)] = options => new SimpleCnn((SimpleCnnOptions)options),
        [typeof(MlpOptions)] = options => new Mlp((MlpOptions)options),
        [typeof(SentimentLstmOptions)] = options => new SentimentLstm((SentimentLstmOptions)options),
        [typeof(TransformerOptions)] = options => new Transformer((TransformerOptions)options),
    };

    /// <exception cref="ArgumentException">No model takes these options.</exception>
    public static IModel Create(ModelOptions options) => options is IModelSource source ? source.Create()
        : BuiltIn.TryGetValue(options.GetType(), out var create) ? create(options)
        : throw new ArgumentException($"No model takes {options.GetType().Name}; implement {nameof(IModelSource)}.", nameof(options));
}
