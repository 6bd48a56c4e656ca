namespace Distributed.Training.Data;

/// <summary>Cuts a review into words: lower case, line-break tags dropped, runs of letters, digits and inner apostrophes.</summary>
internal ref struct ReviewTokenizer(ReadOnlySpan<char> text, Span<char> word)
{
    private const string LineBreak = "<br />";

    private readonly Span<char> word = word;
    private ReadOnlySpan<char> rest = text;

    /// <summary>The word found last, in the buffer given: valid until the next call. Longer words are cut to the buffer's length.</summary>
    public ReadOnlySpan<char> Current { get; private set; }

    public bool MoveNext()
    {
        while (rest.Length > 0)
        {
            if (rest.StartsWith(LineBreak, StringComparison.OrdinalIgnoreCase)) rest = rest[LineBreak.Length..];
            else if (!char.IsLetterOrDigit(rest[0])) rest = rest[1..];
            else break;
        }

        var length = 0;
        while (length < rest.Length && (char.IsLetterOrDigit(rest[length]) || IsInnerApostrophe(rest, length))) length++;
        var kept = Math.Min(length, word.Length);
        for (var i = 0; i < kept; i++) word[i] = char.ToLowerInvariant(rest[i]);
        Current = word[..kept];
        rest = rest[length..];
        return length > 0;
    }

    private static bool IsInnerApostrophe(ReadOnlySpan<char> text, int index) =>
        text[index] == '\'' && index + 1 < text.Length && char.IsLetterOrDigit(text[index + 1]);
}
