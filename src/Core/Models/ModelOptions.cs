using Distributed.Core.DataSets;
using Distributed.Core.Documents;
using Distributed.Core.Options;

namespace Distributed.Core.Models;

/// <summary>What a job file says of a model besides its name, and what follows from that without building it.</summary>
/// <remarks>Properties with an <see cref="OptionAttribute"/> are keys of <c>model</c> in the job file.</remarks>
public abstract record ModelOptions
{
    /// <summary>What the model takes and predicts.</summary>
    public abstract ModelContract Contract { get; }

    /// <summary>Parameters of the model; 0 for what is not given.</summary>
    public abstract double ParameterCount { get; }

    /// <summary>Why this model cannot run under <c>mixed_float16</c> on a CPU; null: it can.</summary>
    public virtual string? Float16Fault => null;

    /// <summary>Numbers that the layers give for one sample: forward keeps them for backward.</summary>
    /// <param name="tokens">Of a sample, where it has any.</param>
    public abstract double OutputCount(double tokens);

    /// <summary>Checks options against each other; their own ranges hold.</summary>
    public virtual void Check(IOptionErrors model)
    {
    }

    /// <summary>Checks options against the data set, whose samples are of the kind that <see cref="Contract"/> asks for.</summary>
    /// <param name="job">Takes errors at dotted keys.</param>
    /// <param name="name">Of the data set.</param>
    public virtual void CheckWith(IOptionErrors job, string name, DataContract data)
    {
    }
}

/// <summary>What a model takes and predicts, as far as its options tell.</summary>
public sealed record ModelContract
{
    /// <summary>What one sample must be, in words.</summary>
    public required string Takes { get; init; }

    /// <summary>What the labels are.</summary>
    public required LabelKind Labels { get; init; }

    /// <value>Decimal inputs: the exact shape of a sample; null: any.</value>
    public IReadOnlyList<long>? Shape { get; init; }

    /// <value>Decimal inputs of any shape: numbers of a sample; null: as many as the shape has.</value>
    public long? Elements { get; init; }

    /// <value>Class numbers end below this; 0: labels are no class numbers.</value>
    public int Classes { get; init; }

    /// <value>Inputs are tokens; otherwise decimal numbers.</value>
    public bool TakesTokens { get; init; }

    /// <value>Token numbers end below this.</value>
    public int Vocabulary { get; init; }

    /// <value>Tokens of the longest sample; null: any number.</value>
    public int? MostTokens { get; init; }

    /// <summary>Decimal numbers of one sample; 0 where it is tokens.</summary>
    public long Numbers => Elements ?? Shape?.Aggregate(1L, (a, b) => a * b) ?? 0;

    /// <summary>
    /// Whether a data set's samples are of the kind that the model takes; how many numbers they have is not looked at where
    /// <see cref="Elements"/> says it.
    /// </summary>
    public bool Fits(DataContract data) => data.IsOpen
        || (data.Labels == Labels
            && (data.Image is { } image ? !TakesTokens && (Shape is null || Shape.SequenceEqual(image)) : TakesTokens));
}
