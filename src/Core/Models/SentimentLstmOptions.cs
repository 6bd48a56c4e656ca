using Distributed.Core.DataSets;
using Distributed.Core.Documents;
using Distributed.Core.Options;

namespace Distributed.Core.Models;

/// <summary>Embedding, one LSTM layer, and a linear layer on its last hidden state.</summary>
public sealed record SentimentLstmOptions : ModelOptions
{
    [Option("probability of zeroing an input of the last layer", Number = NumberKind.BelowOne)]
    public double Dropout { get; init; }

    [Option("distinct tokens; with imdb 3 or more", Least = 1, Most = 10_000_000)]
    public required int Vocab { get; init; }

    [Option("numbers per token", Least = 1, Most = 1_000_000)]
    public required int Embedding { get; init; }

    [Option("width of the hidden state", Least = 1, Most = 1_000_000)]
    public required int Hidden { get; init; }

    public override ModelContract Contract => new() { Takes = "tokens", TakesTokens = true, Labels = LabelKind.Binary, Vocabulary = Vocab };

    public override double ParameterCount => ((double)Vocab * Embedding) + (4.0 * Hidden * (Embedding + Hidden + 2.0));

    public override string Float16Fault => "libtorch has no float16 LSTM there and ends the process";

    public override double OutputCount(double tokens) => tokens * (Embedding + Hidden);

    public override void CheckWith(IOptionErrors job, string name, DataContract data)
    {
        if (Vocab > 0 && Vocab < data.LeastVocabulary)
            job.Fail("model.vocab", FormattableString.Invariant(
                $"found {Vocab}, expected {data.LeastVocabulary} or more: {name} uses ids 0 for padding and 1 for unknown words"));
    }
}
