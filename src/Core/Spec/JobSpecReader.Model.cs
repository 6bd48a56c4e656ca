using Distributed.Core.Documents;

namespace Distributed.Core.Spec;

public static partial class JobSpecReader
{
    private const int WidestLayer = 1_000_000;
    private const int MostLayers = 1000;
    private const int LongestSequence = 16_384;
    private const double MostParameters = 4e9;

    private static ModelSpec? ReadModel(SpecSection? model)
    {
        if (model is null) return null;
        var spec = new ModelSpec
        {
            Name = model.Word("name", JobWords.Models, required: true) ?? "",
            Dropout = model.Number("dropout", NumberRange.BelowOne) ?? 0,
            Weights = model.Text("weights"),
            Sizes = model.Wholes("sizes", 1, WidestLayer),
            Vocab = (int?)model.Whole("vocab", 1, 10_000_000),
            Embedding = (int?)model.Whole("embedding", 1, WidestLayer),
            Hidden = (int?)model.Whole("hidden", 1, WidestLayer),
            Width = (int?)model.Whole("width", 1, WidestLayer),
            Layers = (int?)model.Whole("layers", 1, MostLayers),
            Heads = (int?)model.Whole("heads", 1, WidestLayer),
            Sequence = (int?)model.Whole("sequence", 1, LongestSequence),
        };
        if (spec.Name.Length > 0 && spec.Name != JobWords.Mlp) model.Refuse($"belongs to model mlp, not to {spec.Name}; remove it", "sizes");
        if (spec.Name.Length > 0 && spec.Name != JobWords.SentimentLstm)
            model.Refuse($"belongs to model sentiment-lstm, not to {spec.Name}; remove it", "embedding", "hidden");
        if (spec.Name.Length > 0 && spec.Name != JobWords.Transformer)
            model.Refuse($"belongs to model transformer, not to {spec.Name}; remove it", "width", "layers", "heads", "sequence");
        if (spec.Name is JobWords.SimpleCnn or JobWords.Mlp)
            model.Refuse($"belongs to models sentiment-lstm and transformer, not to {spec.Name}; remove it", "vocab");
        if (spec.Name == JobWords.Mlp) CheckMlp(model, spec);
        if (spec.Name == JobWords.SentimentLstm) CheckLstm(model, spec);
        if (spec.Name == JobWords.Transformer) CheckTransformer(model, spec);
        model.End();
        return spec;
    }

    private static void CheckMlp(SpecSection model, ModelSpec spec)
    {
        if (!model.Has("sizes")) model.Fail("sizes", "missing, expected the layer widths from input to output, such as [784, 2048, 10]");
        if (spec.Sizes is not { } sizes) return;
        if (sizes.Count < 2) model.Fail("sizes", FormattableString.Invariant($"found {sizes.Count} widths, expected 2 or more, from input to output"));
        CheckParameters(model, "sizes", JobMemory.Parameters(spec));
    }

    private static void CheckLstm(SpecSection model, ModelSpec spec)
    {
        foreach (var key in new[] { "vocab", "embedding", "hidden" })
        {
            if (!model.Has(key)) model.Fail(key, "missing, expected a whole number: sentiment-lstm needs vocab, embedding and hidden");
        }

        CheckParameters(model, "vocab", JobMemory.Parameters(spec));
    }

    private static void CheckTransformer(SpecSection model, ModelSpec spec)
    {
        foreach (var key in new[] { "width", "layers", "heads", "vocab", "sequence" })
        {
            if (!model.Has(key)) model.Fail(key, "missing, expected a whole number: transformer needs width, layers, heads, vocab and sequence");
        }

        if (spec is { Width: { } divided, Heads: { } heads } && divided % heads != 0)
            model.Fail("heads", FormattableString.Invariant($"found {heads}, which does not divide width {divided}, expected {JobSpecRules.Divisors(divided, heads)}"));
        CheckParameters(model, "width", JobMemory.Parameters(spec));
    }

    private static void CheckParameters(SpecSection model, string key, double parameters)
    {
        if (parameters > MostParameters)
            model.Fail(key, FormattableString.Invariant($"found sizes that make {parameters:0} parameters, expected at most {MostParameters:0}"));
    }
}
