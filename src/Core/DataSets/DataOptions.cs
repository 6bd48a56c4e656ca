using Distributed.Core.Options;

namespace Distributed.Core.DataSets;

/// <summary>What a job file says of a data set besides its name and path, and what follows from that without reading it.</summary>
/// <remarks>Properties with an <see cref="OptionAttribute"/> are keys of <c>data</c> in the job file.</remarks>
public abstract record DataOptions
{
    /// <summary>What the samples are.</summary>
    public abstract DataContract Contract { get; }
}

/// <summary>What the samples of a data set are, as far as its options tell.</summary>
public sealed record DataContract
{
    /// <value>The file decides; none of the values below says anything.</value>
    public bool IsOpen { get; init; }

    /// <value>The set is generated: it has no path.</value>
    public bool IsGenerated { get; init; }

    /// <value>It is one file, which is read into memory whole.</value>
    public bool IsOneFile { get; init; }

    /// <value>Channels, height and width; null: no images.</value>
    public IReadOnlyList<long>? Image { get; init; }

    public LabelKind Labels { get; init; }

    /// <value>Of images; 0: not known.</value>
    public int Classes { get; init; }

    /// <value>Tokens of a sample; null: no tokens, or as many as the model takes.</value>
    public int? Tokens { get; init; }

    /// <value>Token numbers that the set needs at the least.</value>
    public int LeastVocabulary { get; init; }

    /// <value>Training samples at the most.</value>
    public int MostSamples { get; init; } = int.MaxValue;

    /// <value>Bytes of a training sample that the set makes and keeps; 0: not known.</value>
    public int KeptBytes { get; init; }
}

/// <summary>What the labels of samples are.</summary>
public enum LabelKind
{
    /// <summary>A class number for each sample.</summary>
    Class,

    /// <summary>0 or 1 for each sample.</summary>
    Binary,

    /// <summary>A class number for each token.</summary>
    ClassPerToken,
}
