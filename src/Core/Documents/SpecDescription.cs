using Distributed.Core.Values;

namespace Distributed.Core.Documents;

/// <summary>Names what stands in a job's text, for "found ..." in errors.</summary>
internal static class SpecDescription
{
    public static string Of(SpecNode node) => node switch
    {
        SpecNode.Map => "a mapping",
        SpecNode.Sequence sequence => FormattableString.Invariant($"a list of {sequence.Items.Count}"),
        SpecNode.Scalar { IsNull: true } => "nothing",
        SpecNode.Scalar { Quoted: false } scalar when NumberRange.Parse(scalar.Text) is not null => Shorten(scalar.Text),
        SpecNode.Scalar scalar => $"the text '{Shorten(scalar.Text)}'",
        _ => "something else",
    };

    /// <summary>A value on one line: what a list of differences shows.</summary>
    public static string Value(SpecNode node) => node switch
    {
        SpecNode.Scalar scalar => scalar.Text,
        SpecNode.Sequence sequence => $"[{string.Join(", ", sequence.Items.Select(Value))}]",
        SpecNode.Map map => $"{{{string.Join(", ", map.Entries.Select(entry => $"{entry.Key}: {Value(entry.Value)}"))}}}",
        _ => "",
    };

    private static string Shorten(string text) => PlainText.Show(text);
}
