using Distributed.Core.Values;

namespace Distributed.Core.Documents;

/// <summary>Reads one mapping of a job's text key by key and notes every error; a wrong or absent value reads as null.</summary>
internal sealed class SpecSection(SpecNode.Map map, string path, SpecErrors errors) : IOptionErrors
{
    private readonly SortedSet<string> known = new(StringComparer.Ordinal);

    public bool Has(string key) => Find(map, key) is not null;

    /// <summary>Reads a text of at most so many characters.</summary>
    public string? Text(string key, bool required = false, int most = 4096)
    {
        if (Take(key, required, "a text") is not { } node) return null;
        if (node is not SpecNode.Scalar { Text: var text } || text.Length == 0 || text.Length > most || !PlainText.IsPlain(text))
            return Wrong<string>(
                key, node, FormattableString.Invariant($"a text of 1 to {most} characters, none of them a control character"));
        return text;
    }

    public string? Word(string key, IReadOnlyList<string> words, bool required = false)
    {
        var expected = "one of " + string.Join(", ", words);
        if (Take(key, required, expected) is not { } node) return null;
        if (node is not SpecNode.Scalar scalar) return Wrong<string>(key, node, expected);
        if (words.Contains(scalar.Text)) return scalar.Text;
        return Wrong<string>(key, node, expected + Hint(scalar.Text, words));
    }

    public bool? Flag(string key)
    {
        if (Take(key) is not { } node) return null;
        if (node is SpecNode.Scalar { Quoted: false, Text: "true" or "false" } scalar) return scalar.Text == "true";
        Fail(key, $"found {SpecDescription.Of(node)}, expected true or false");
        return null;
    }

    public double? Number(string key, NumberRange range, bool required = false) =>
        Take(key, required, range.Expected) is { } node ? Number(key, node, range) : null;

    public long? Whole(string key, long least, long most, bool required = false)
    {
        var expected = Whole(least, most);
        return Take(key, required, expected) is { } node ? Whole(key, node, least, most) : null;
    }

    public TimeSpan? Duration(string key)
    {
        if (Take(key) is not { } node) return null;
        if (node is SpecNode.Scalar scalar && DurationText.Parse(scalar.Text) is { } duration) return duration;
        Fail(key, $"found {SpecDescription.Of(node)}, expected {DurationText.Expected}");
        return null;
    }

    /// <summary>An amount of bytes, such as 8GiB.</summary>
    public long? Bytes(string key)
    {
        if (Take(key) is not { } node) return null;
        if (node is SpecNode.Scalar scalar && MemorySize.Parse(scalar.Text) is { } bytes) return bytes;
        Fail(key, $"found {SpecDescription.Of(node)}, expected {MemorySize.Expected}");
        return null;
    }

    /// <summary>A list of numbers; null when it or one of its elements is wrong.</summary>
    public EquatableList<double>? Numbers(string key, NumberRange range, bool required = false) =>
        List(key, "a list of numbers", required, (name, item) => Number(name, item, range)) is { } list ? new(list.OfType<double>()) : null;

    public EquatableList<int>? Wholes(string key, int least, int most) =>
        List(key, "a list of whole numbers", false, (name, item) => Whole(name, item, least, most)) is { } list
            ? new(list.Select(x => (int)x!))
            : null;

    /// <summary>Reads a list of patterns of parameter names.</summary>
    public EquatableList<string>? Patterns(string key)
    {
        var expected = FormattableString.Invariant(
            $"a text of 1 to {SpecBounds.LongestPattern} characters, none of them a control character");
        return List(key, "a list of texts", false, Read, SpecBounds.MostPatterns) is { } list ? new(list.OfType<string>()) : null;

        string? Read(string name, SpecNode item) =>
            item is SpecNode.Scalar { IsNull: false, Text: { Length: > 0 and <= SpecBounds.LongestPattern } text }
            && PlainText.IsPlain(text) ? text : Wrong<string>(name, item, expected);
    }

    /// <summary>Reads a text that no error quotes.</summary>
    public string? Secret(string key, string expected, Func<string, bool> holds)
    {
        if (Take(key) is not { } node) return null;
        if (node is SpecNode.Scalar { Quoted: true } scalar && holds(scalar.Text)) return scalar.Text;
        var found = node is SpecNode.Scalar { Quoted: true, Text: var text }
            ? FormattableString.Invariant($"a text of {text.Length} characters")
            : "no text";
        Fail(key, $"found {found}, expected {expected}");
        return null;
    }

    /// <summary>Reads a list of mappings that must be there; elements that are none are noted and left out.</summary>
    public IReadOnlyList<SpecSection> Sections(string key, string expected)
    {
        if (Take(key, required: true, expected) is not { } node) return [];
        if (node is not SpecNode.Sequence sequence)
        {
            Fail(key, $"found no list, expected {expected}");
            return [];
        }

        var sections = new List<SpecSection>();
        foreach (var (i, item) in sequence.Items.Index())
        {
            var name = Join(FormattableString.Invariant($"{key}[{i}]"));
            if (item is SpecNode.Map inner) sections.Add(new(inner, name, errors));
            else errors.Add(new(item.At, name, "found no mapping, expected a mapping of settings"));
        }

        return sections;
    }

    public SpecSection? Section(string key, bool required = false)
    {
        if (Take(key, required, "a mapping") is not { } node) return null;
        if (node is SpecNode.Map inner) return new(inner, Join(key), errors);
        Fail(key, $"found {SpecDescription.Of(node)}, expected a mapping of settings");
        return null;
    }

    /// <summary>Notes an error at the value of a key, dotted or not, or, when it is absent, at the mapping that lacks it.</summary>
    public void Fail(string key, string message)
    {
        SpecNode node = map;
        foreach (var part in key.Split('.'))
        {
            if (node is not SpecNode.Map inner || Find(inner, part) is not { } entry) break;
            node = entry.Value;
        }

        errors.Add(new(node.At, Join(key), message));
    }

    /// <summary>Notes that a list of numbers has another length than expected.</summary>
    public void FailLength(string key, int found, string expected) =>
        Fail(
            key,
            FormattableString.Invariant($"found {found} numbers, expected {expected}") + NumberForm.RemedyOfList(Find(map, key)?.Value));

    /// <summary>Takes a key as one that may be here, whatever its value.</summary>
    public void Know(string key) => known.Add(key);

    /// <summary>Notes an error for each of the keys that is present.</summary>
    public void Refuse(string message, params ReadOnlySpan<string> keys)
    {
        foreach (var key in keys)
        {
            if (Take(key) is not null) Fail(key, message);
        }
    }

    /// <summary>Notes every key that nothing asked for.</summary>
    public void End()
    {
        foreach (var (before, entry) in map.Entries.Prepend(null).Zip(map.Entries).Where(pair => !known.Contains(pair.Second.Key)))
            if (errors.IsFull) errors.Pass();
            else errors.Add(new(
                entry.At, Join(entry.Key),
                $"unknown key{NumberForm.RemedyOfPair(before, entry) ?? Hint(entry.Key, known)}; "
                + $"expected one of {string.Join(", ", known)}"));
    }

    private static string Whole(long least, long most) => FormattableString.Invariant($"a whole number from {least} to {most}");

    private static string Hint(string found, IEnumerable<string> words) =>
        NearestWord.Of(found, words) is { } word ? $"; did you mean {word}?" : "";

    private static SpecNode.Entry? Find(SpecNode.Map map, string key) =>
        map.Entries.FirstOrDefault(entry => entry.Key == key && entry.Value is not SpecNode.Scalar { IsNull: true });

    private SpecNode? Take(string key, bool required = false, string expected = "")
    {
        known.Add(key);
        var found = Find(map, key)?.Value;
        if (found is null && required) Fail(key, $"missing, expected {expected}");
        return found;
    }

    private double? Number(string name, SpecNode node, NumberRange range)
    {
        if (node is not SpecNode.Scalar { Quoted: false } scalar || NumberRange.Parse(scalar.Text) is not { } value)
            return WrongNumber<double>(name, node, range.Expected + NumberForm.Remedy(node));
        if (range.Fault(value) is not { } fault) return value;
        errors.Add(new(node.At, Join(name), $"found {SpecDescription.Of(node)}{fault}"));
        return null;
    }

    private long? Whole(string name, SpecNode node, long least, long most)
    {
        if (node is SpecNode.Scalar { Quoted: false } scalar && NumberRange.ParseWhole(scalar.Text) is { } value && value >= least
            && value <= most) return value;
        return WrongNumber<long>(name, node, Whole(least, most) + NumberForm.Remedy(node, whole: true));
    }

    private List<T?>? List<T>(
        string key, string expected, bool required, Func<string, SpecNode, T?> read, int most = SpecBounds.LongestList)
    {
        if (Take(key, required, expected) is not { } node) return null;
        if (node is not SpecNode.Sequence sequence)
        {
            Fail(key, $"found {SpecDescription.Of(node)}, expected {expected}");
            return null;
        }

        if (sequence.Items.Count > most)
        {
            Fail(key, FormattableString.Invariant($"found {SpecDescription.Of(node)}, expected at most {most}"));
            return null;
        }

        var before = errors.Count;
        var items = sequence.Items.Select((item, i) => read(FormattableString.Invariant($"{key}[{i}]"), item)).ToList();
        if (errors.Count == before) return items;
        errors.AppendToLast(NumberForm.RemedyOfList(sequence));
        return null;
    }

    private T? Wrong<T>(string name, SpecNode node, string expected)
        where T : class
    {
        errors.Add(new(node.At, Join(name), $"found {SpecDescription.Of(node)}, expected {expected}"));
        return null;
    }

    private T? WrongNumber<T>(string name, SpecNode node, string expected)
        where T : struct
    {
        errors.Add(new(node.At, Join(name), $"found {SpecDescription.Of(node)}, expected {expected}"));
        return null;
    }

    private string Join(string key) => path.Length == 0 ? key : $"{path}.{key}";
}
