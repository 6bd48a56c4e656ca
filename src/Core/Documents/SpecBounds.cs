using Distributed.Core.Values;

namespace Distributed.Core.Documents;

/// <summary>
/// How much of a text that somebody wrote is taken in: reading costs time and memory in proportion to the text, whatever it says.
/// </summary>
public static class SpecBounds
{
    /// <summary>Characters of a key.</summary>
    public const int LongestKey = 64;

    /// <summary>Mappings and lists inside each other.</summary>
    public const int DeepestNesting = 20;

    /// <summary>Errors that are kept of one text.</summary>
    public const int MostErrors = 32;

    /// <summary>Elements of a list of numbers or texts.</summary>
    public const int LongestList = 1000;

    /// <summary>Patterns of parameter names; each is held against every parameter.</summary>
    public const int MostPatterns = 256;

    /// <summary>Characters of a pattern.</summary>
    public const int LongestPattern = 256;

    /// <summary>Characters of a job's name.</summary>
    public const int LongestName = 200;

    /// <summary>What is wrong with a key before it has a meaning; null: nothing.</summary>
    public static string? KeyFault(string key)
    {
        if (key.Length > LongestKey)
            return FormattableString.Invariant($"found a key of {key.Length} characters, expected at most {LongestKey}");
        return PlainText.IsPlain(key) ? null : $"found the key '{PlainText.Show(key)}', expected one without control characters";
    }
}
