using System.Text;
using System.Text.Json;
using Distributed.Core.Values;

namespace Distributed.Core.Documents;

/// <summary>Reads JSON as <see cref="SpecNode"/>, with positions.</summary>
public static class JsonSpecNodes
{
    /// <summary>How an error of the syntax begins; the parser's own words follow, which may quote the text.</summary>
    internal const string Broken = "broken JSON: ";

    /// <summary>Characters of a key that is none, where it stands for one.</summary>
    private const int LongestShown = 20;

    /// <summary>The content of one JSON text; broken JSON, duplicate or overlong keys and nesting deeper than 20 are errors.</summary>
    public static SpecNodeResult Parse(string json)
    {
        var utf8 = Encoding.UTF8.GetBytes(json);
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = SpecBounds.DeepestNesting });
        var errors = new SpecErrors();
        try
        {
            reader.Read();
            var root = ReadValue(ref reader, new Positions(utf8), null, errors);
            reader.Read();
            return errors.Count == 0 ? SpecNodeResult.Of(root) : new(null, errors.ToList());
        }
        catch (FullException)
        {
            return new(null, errors.ToList());
        }
        catch (JsonException e)
        {
            var at = new SpecPosition((int)(e.LineNumber ?? 0) + 1, (int)(e.BytePositionInLine ?? 0) + 1);
            return SpecNodeResult.Failed(
                at, "",
                $"{Broken}{PlainText.Show(e.Message.Split(" LineNumber:")[0], 200)}"
                + $"{NumberForm.RemedyOfJson(Line(json, at.Line), at.Column)}");
        }
    }

    /// <param name="path">The keys on the way, put together only where an error names them; null: the whole text.</param>
    private static SpecNode ReadValue(ref Utf8JsonReader reader, Positions positions, KeyPath? path, SpecErrors errors)
    {
        var at = positions.Of((int)reader.TokenStartIndex);
        return reader.TokenType switch
        {
            JsonTokenType.StartObject => ReadMap(ref reader, positions, at, path, errors),
            JsonTokenType.StartArray => ReadSequence(ref reader, positions, at, path, errors),
            JsonTokenType.String => new SpecNode.Scalar(at, Text(ref reader, at, path, errors), true),
            _ => new SpecNode.Scalar(at, Encoding.UTF8.GetString(reader.ValueSpan), false),
        };
    }

    private static SpecNode.Map ReadMap(ref Utf8JsonReader reader, Positions positions, SpecPosition at, KeyPath? path, SpecErrors errors)
    {
        var entries = new List<SpecNode.Entry>();
        var keys = new HashSet<string>(StringComparer.Ordinal);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var keyAt = positions.Of((int)reader.TokenStartIndex);
            var key = Text(ref reader, keyAt, path, errors);
            if (SpecBounds.KeyFault(key) is { } fault)
            {
                if (errors.IsFull) throw new FullException();
                errors.Add(new(keyAt, path?.ToString() ?? "", fault));
                key = PlainText.Show(key, LongestShown);
            }
            else if (!keys.Add(key))
            {
                if (errors.IsFull) errors.Pass();
                else errors.Add(new(keyAt, new KeyPath(path, key).ToString(), "found twice, expected once"));
            }

            reader.Read();
            entries.Add(new(keyAt, key, ReadValue(ref reader, positions, new KeyPath(path, key), errors)));
        }

        return new(at, entries);
    }

    private static SpecNode.Sequence ReadSequence(
        ref Utf8JsonReader reader, Positions positions, SpecPosition at, KeyPath? path, SpecErrors errors)
    {
        var items = new List<SpecNode>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray) items.Add(ReadValue(ref reader, positions, path, errors));
        return new(at, items);
    }

    private static string Text(ref Utf8JsonReader reader, SpecPosition at, KeyPath? path, SpecErrors errors)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            if (errors.IsFull) throw new FullException();
            errors.Add(
                new(at, path?.ToString() ?? "", "found half of a character (a lone surrogate such as \\ud800), expected whole ones"));
            return "";
        }
    }

    private static string Line(string text, int number)
    {
        foreach (var range in text.AsSpan().Split('\n'))
        {
            if (--number == 0) return text[range];
        }

        return "";
    }

    /// <summary>There are as many errors as are kept: the rest of the text is not looked at.</summary>
    private sealed class FullException : Exception;

    /// <summary>The keys to a place in the text.</summary>
    private sealed record KeyPath(KeyPath? Above, string Key)
    {
        public override string ToString() => Above is null ? Key : $"{Above}.{Key}";
    }

    /// <summary>Counts lines and columns along with the reader, which never goes back.</summary>
    private sealed class Positions(byte[] utf8)
    {
        private int at;
        private int line = 1;
        private int column = 1;

        public SpecPosition Of(int offset)
        {
            var passed = utf8.AsSpan(at, offset - at);
            if (passed.LastIndexOf((byte)'\n') is >= 0 and var end)
            {
                line += passed.Count((byte)'\n');
                column = 1;
                passed = passed[(end + 1)..];
            }

            column += Encoding.UTF8.GetCharCount(passed);
            at = offset;
            return new(line, column);
        }
    }
}
