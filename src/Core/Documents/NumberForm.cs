using System.Text.RegularExpressions;

namespace Distributed.Core.Documents;

/// <summary>Recognises numbers in forms that YAML and JSON do not have, such as 0,001, and says how they are written.</summary>
internal static partial class NumberForm
{
    private const string Point = "decimals are written with a point: ";

    /// <summary>Longer texts are no numbers in another form, and no error repeats them.</summary>
    private const int LongestNumber = 64;

    private const int MostHalves = 32;

    /// <summary>The remedy for a value that is no number; empty where none is known.</summary>
    /// <param name="whole">The setting takes whole numbers, so that a comma parts thousands.</param>
    public static string Remedy(SpecNode node, bool whole = false) => node switch
    {
        SpecNode.Scalar { Text.Length: > LongestNumber } => "",
        SpecNode.Scalar { Text: var text } when !whole && DecimalComma().IsMatch(text) => $"; {Point}{text.Replace(',', '.')}",
        SpecNode.Scalar { Text: var text } when Separators().IsMatch(text) =>
            $"; write it without separators: {text.Replace(",", "", StringComparison.Ordinal).Replace("_", "", StringComparison.Ordinal)}",
        SpecNode.Scalar { Quoted: true, Text: var text } when NumberRange.Parse(text) is not null => $"; write {text} without quotes",
        SpecNode.Sequence sequence => RemedyOfList(sequence),
        _ => "",
    };

    /// <summary>The remedy for a list whose elements may be the halves of decimals: [0,9, 0,999].</summary>
    public static string RemedyOfList(SpecNode? node)
    {
        if (node is not SpecNode.Sequence { Items: { Count: > 0 and <= MostHalves } items } || items.Count % 2 != 0) return "";
        var texts = items.OfType<SpecNode.Scalar>()
            .Where(item => item is { Quoted: false, Text.Length: <= LongestNumber } && Digits().IsMatch(item.Text))
            .Select(item => item.Text).ToList();
        return texts.Count == items.Count
            ? $"; {Point}{string.Join(", ", texts.Chunk(2).Select(pair => $"{pair[0]}.{pair[1]}"))}"
            : "";
    }

    /// <summary>The remedy for the second half of a decimal that braces make a key of its own: { lr: 0,001 }.</summary>
    /// <returns>Null: it is none.</returns>
    public static string? RemedyOfPair(SpecNode.Entry? before, SpecNode.Entry entry) =>
        before?.Value is SpecNode.Scalar { Quoted: false } whole && Digits().IsMatch(whole.Text)
        && entry.Value is SpecNode.Scalar { IsNull: true } && Digits().IsMatch(entry.Key)
            ? $"; {Point}{before.Key}: {whole.Text}.{entry.Key}"
            : null;

    /// <summary>The remedy for JSON that breaks off behind the comma of a decimal.</summary>
    public static string RemedyOfJson(string line, int column)
    {
        var broken = DecimalCommas().Matches(line).FirstOrDefault(match => match.Index < column && match.Index + match.Length >= column);
        return broken is null or { Length: > LongestNumber } ? "" : $"; {Point}{broken.Value.Replace(',', '.')}";
    }

    [GeneratedRegex(@"^[+-]?[0-9]*,[0-9]+([eE][+-]?[0-9]+)?$")]
    private static partial Regex DecimalComma();

    [GeneratedRegex(@"^[+-]?[0-9]+([_,][0-9]{3})+$")]
    private static partial Regex Separators();

    [GeneratedRegex(@"^[0-9]+$")]
    private static partial Regex Digits();

    [GeneratedRegex(@"(?<![0-9,.])[0-9]+,[0-9]+")]
    private static partial Regex DecimalCommas();
}
