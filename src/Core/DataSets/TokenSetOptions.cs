using Distributed.Core.Options;

namespace Distributed.Core.DataSets;

/// <summary>IMDB: 25,000 reviews, each good or bad.</summary>
public sealed record ImdbOptions : DataOptions
{
    [Option("words to which a review is cut or padded", Least = 1, Most = 100_000)]
    public int Length { get; init; } = 200;

    [Option("encoding of reviews without a byte order mark", Words = [TextEncodings.Utf8, TextEncodings.Utf16LittleEndian,
        TextEncodings.Utf16BigEndian, TextEncodings.Latin1, TextEncodings.Windows1252])]
    public string Encoding { get; init; } = TextEncodings.Utf8;

    public override DataContract Contract =>
        new() { Labels = LabelKind.Binary, Tokens = Length, LeastVocabulary = 3, MostSamples = 25_000 };
}

/// <summary>A text: each byte a token, each sample a window of it.</summary>
public sealed record TextOptions : DataOptions
{
    [Option("tokens of a sample, at most model.sequence, which is the default", Least = 1, Most = 100_000)]
    public int? Length { get; init; }

    public override DataContract Contract => new() { IsOneFile = true, Labels = LabelKind.ClassPerToken, Tokens = Length };
}

/// <summary>Ready-made samples in a safetensors file.</summary>
public sealed record TensorsOptions : DataOptions
{
    [Option("accept inputs that are infinite or NaN: the steps that they spoil are skipped")]
    public bool AllowNonFinite { get; init; }

    public override DataContract Contract => new() { IsOpen = true, IsOneFile = true };
}
