namespace Distributed.Core.Options;

/// <summary>
/// Makes a property of an options record a key of the job file: the property's name in camel case, its initial value the default.
/// </summary>
/// <remarks>
/// Types: int, long, double, bool, string, lists of int, double or string, and nullable ones. A <c>required</c> property is a required key.
/// </remarks>
/// <param name="about">What it is, in a few words, for the reference of the job file.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class OptionAttribute(string about) : Attribute
{
    public string About { get; } = about;

    /// <value>Whole numbers: the least.</value>
    public long Least { get; set; } = long.MinValue;

    /// <value>Whole numbers: the most.</value>
    public long Most { get; set; } = long.MaxValue;

    /// <value>Lists: items that one must have at the least.</value>
    public int LeastItems { get; set; }

    /// <value>Decimals: what they must satisfy.</value>
    public NumberKind Number { get; set; } = NumberKind.Finite;

    /// <value>Texts: the only ones that are allowed.</value>
    public string[]? Words { get; set; }
}

/// <summary>What a decimal number must satisfy; all of them must be numbers that float32 can hold.</summary>
public enum NumberKind
{
    Finite,

    /// <summary>Greater than 0.</summary>
    Positive,

    /// <summary>0 or more.</summary>
    NotNegative,

    /// <summary>From 0 to less than 1.</summary>
    BelowOne,
}
