using Distributed.Core.DataSets;
using Distributed.Core.Documents;
using Distributed.Core.Options;
using Distributed.Core.Values;

namespace Distributed.Core.Models;

/// <summary>Decoder-only transformer that predicts each next token.</summary>
public sealed record TransformerOptions : ModelOptions
{
    [Option("probability of zeroing an input of the last layer", Number = NumberKind.BelowOne)]
    public double Dropout { get; init; }

    [Option("numbers per token", Least = 1, Most = 1_000_000)]
    public required int Width { get; init; }

    [Option("layers", Least = 1, Most = 1000)]
    public required int Layers { get; init; }

    [Option("attention heads per layer; divides width", Least = 1, Most = 1_000_000)]
    public required int Heads { get; init; }

    [Option("distinct tokens; with text more than the largest byte, so 256 for any file", Least = 1, Most = 10_000_000)]
    public required int Vocab { get; init; }

    [Option("tokens of the longest sample", Least = 1, Most = 16_384)]
    public required int Sequence { get; init; }

    public override ModelContract Contract => new()
    {
        Takes = "a sequence of tokens, of which it predicts each next one",
        TakesTokens = true,
        Labels = LabelKind.ClassPerToken,
        Classes = Vocab,
        Vocabulary = Vocab,
        MostTokens = Sequence,
    };

    public override double ParameterCount => (Layers * ((12.0 * Width) + 13) * Width) + (Width * ((2.0 * Vocab) + Sequence + 2)) + Vocab;

    /// <remarks>Each token attends to all, in each head.</remarks>
    public override double OutputCount(double tokens) => tokens * (Vocab + (Layers * ((8.0 * Width) + (Heads * tokens))));

    public override void Check(IOptionErrors model)
    {
        if (Width > 0 && Heads > 0 && Width % Heads != 0)
            model.Fail(
                "heads",
                FormattableString.Invariant($"found {Heads}, which does not divide width {Width}, expected {Divisors.Near(Width, Heads)}"));
    }

    public override void CheckWith(IOptionErrors job, string name, DataContract data)
    {
        if (Sequence > 0 && data.Tokens > Sequence)
            job.Fail("data.length", FormattableString.Invariant($"found {data.Tokens}, expected at most model.sequence, {Sequence}"));
    }
}
