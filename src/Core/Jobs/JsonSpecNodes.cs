using System.Text;
using System.Text.Json;

namespace Distributed.Core.Jobs;

/// <summary>Reads JSON as <see cref="SpecNode"/>, with positions.</summary>
public static class JsonSpecNodes
{
    private const int DeepestNesting = 20;

    /// <summary>The content of one JSON text; broken JSON, duplicate keys and nesting deeper than 20 are errors.</summary>
    public static SpecNodeResult Parse(string json)
    {
        var utf8 = Encoding.UTF8.GetBytes(json);
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = DeepestNesting });
        var errors = new List<SpecError>();
        try
        {
            reader.Read();
            var root = ReadValue(ref reader, new Positions(utf8), "", errors);
            reader.Read();
            return errors.Count == 0 ? SpecNodeResult.Of(root) : new(null, errors);
        }
        catch (JsonException e)
        {
            var at = new SpecPosition((int)(e.LineNumber ?? 0) + 1, (int)(e.BytePositionInLine ?? 0) + 1);
            var line = json.Split('\n').ElementAtOrDefault(at.Line - 1) ?? "";
            return SpecNodeResult.Failed(at, "", $"broken JSON: {e.Message.Split(" LineNumber:")[0]}{NumberForm.RemedyOfJson(line, at.Column)}");
        }
    }

    private static SpecNode ReadValue(ref Utf8JsonReader reader, Positions positions, string path, List<SpecError> errors)
    {
        var at = positions.Of((int)reader.TokenStartIndex);
        return reader.TokenType switch
        {
            JsonTokenType.StartObject => ReadMap(ref reader, positions, at, path, errors),
            JsonTokenType.StartArray => ReadSequence(ref reader, positions, at, path, errors),
            JsonTokenType.String => new SpecNode.Scalar(at, reader.GetString()!, true),
            _ => new SpecNode.Scalar(at, Encoding.UTF8.GetString(reader.ValueSpan), false),
        };
    }

    private static SpecNode.Map ReadMap(ref Utf8JsonReader reader, Positions positions, SpecPosition at, string path, List<SpecError> errors)
    {
        var entries = new List<SpecNode.Entry>();
        var keys = new HashSet<string>(StringComparer.Ordinal);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var keyAt = positions.Of((int)reader.TokenStartIndex);
            var key = reader.GetString()!;
            var keyPath = path.Length == 0 ? key : $"{path}.{key}";
            if (!keys.Add(key)) errors.Add(new(keyAt, keyPath, "found twice, expected once"));
            reader.Read();
            entries.Add(new(keyAt, key, ReadValue(ref reader, positions, keyPath, errors)));
        }

        return new(at, entries);
    }

    private static SpecNode.Sequence ReadSequence(ref Utf8JsonReader reader, Positions positions, SpecPosition at, string path, List<SpecError> errors)
    {
        var items = new List<SpecNode>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray) items.Add(ReadValue(ref reader, positions, path, errors));
        return new(at, items);
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
