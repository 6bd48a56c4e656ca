namespace Distributed.Core.Spec;

/// <summary>The words that a job file may use for its choices.</summary>
public static class JobWords
{
    public const string SimpleCnn = "simple-cnn";
    public const string Mlp = "mlp";
    public const string SentimentLstm = "sentiment-lstm";
    public const string Transformer = "transformer";

    public const string Cifar10 = "cifar10";
    public const string Mnist = "mnist";
    public const string Imdb = "imdb";
    public const string Text = "text";
    public const string Tensors = "tensors";
    public const string Shapes = "shapes";

    public const string Sgd = "sgd";
    public const string Adam = "adam";
    public const string AdamW = "adamw";

    public const string Utf8 = "utf-8";
    public const string Utf16LittleEndian = "utf-16le";
    public const string Utf16BigEndian = "utf-16be";
    public const string Latin1 = "latin1";
    public const string Windows1252 = "windows-1252";

    public static IReadOnlyList<string> Models { get; } = [SimpleCnn, Mlp, SentimentLstm, Transformer];

    public static IReadOnlyList<string> DataSets { get; } = [Cifar10, Mnist, Imdb, Text, Tensors, Shapes];

    /// <summary>Encodings of text files.</summary>
    public static IReadOnlyList<string> Encodings { get; } = [Utf8, Utf16LittleEndian, Utf16BigEndian, Latin1, Windows1252];

    public static IReadOnlyList<string> Optimizers { get; } = [Sgd, Adam, AdamW];

    public static IReadOnlyList<string> Schedules { get; } = ["constant", "linear", "cosine"];

    public static IReadOnlyList<string> Devices { get; } = ["cpu", "cuda"];

    /// <summary>Ways between silos, in the order of <see cref="GradientExchange"/>.</summary>
    public static IReadOnlyList<string> Exchanges { get; } = ["peer", "coordinator"];

    /// <summary>Precision policies, in the order of <see cref="Precision"/>.</summary>
    public static IReadOnlyList<string> Precisions { get; } = ["float32", "mixed_float16", "mixed_bfloat16"];

    /// <summary>The word for a precision policy.</summary>
    public static string Of(Precision precision) => Precisions[(int)precision];

    /// <summary>The word for a way between silos.</summary>
    public static string Of(GradientExchange exchange) => Exchanges[(int)exchange];
}
