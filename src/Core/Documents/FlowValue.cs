using System.Text.Json;
using Distributed.Core.Values;

namespace Distributed.Core.Documents;

/// <summary>Reads the value of an assignment: a scalar, quoted or not, or a flat list of scalars in brackets.</summary>
internal static class FlowValue
{
    /// <exception cref="FormatException">Broken quotes or brackets, or nesting.</exception>
    public static SpecNode Parse(string text, SpecPosition at)
    {
        text = text.Trim();
        if (text.StartsWith('{')) throw new FormatException("found a mapping, expected a scalar or a list; set its keys one by one");
        if (!text.StartsWith('[')) return Scalar(text, at);
        if (!text.EndsWith(']')) throw new FormatException("found '[' without ']' at the end");
        var inner = text[1..^1].Trim();
        return new SpecNode.Sequence(at, inner.Length == 0 ? [] : [.. Items(inner).Select(item => Scalar(item, at))]);
    }

    private static SpecNode.Scalar Scalar(string text, SpecPosition at)
    {
        if (text is not (['"', ..] or ['\'', ..])) return new(at, text, false);
        if (text.Length < 2 || text[^1] != text[0]) throw new FormatException($"found {PlainText.Show(text)} without a closing quote");
        if (text[0] == '\'') return new(at, text[1..^1].Replace("''", "'", StringComparison.Ordinal), true);
        try
        {
            return new(at, JsonSerializer.Deserialize<string>(text)!, true);
        }
        catch (JsonException)
        {
            throw new FormatException($"found {PlainText.Show(text)}, expected a text in quotes with JSON's escapes");
        }
    }

    private static IEnumerable<string> Items(string inner)
    {
        var (start, quote) = (0, '\0');
        for (var i = 0; i < inner.Length; i++)
        {
            var c = inner[i];
            if (quote != '\0')
            {
                if (c == '\\' && quote == '"') i++;
                else if (c == quote) quote = '\0';
            }
            else if (c is '"' or '\'')
            {
                quote = c;
            }
            else if (c is '[' or ']' or '{' or '}')
            {
                throw new FormatException("found nesting, expected a flat list of scalars");
            }
            else if (c == ',')
            {
                yield return Item(inner[start..i]);
                start = i + 1;
            }
        }

        yield return Item(inner[start..]);
    }

    private static string Item(string text) =>
        text.Trim() is { Length: > 0 } item ? item : throw new FormatException("found an empty element in the list");
}
