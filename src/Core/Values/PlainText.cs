using System.Globalization;
using System.Text;

namespace Distributed.Core.Values;

/// <summary>Text of others on one's own terminal.</summary>
public static class PlainText
{
    /// <summary>A character that moves the cursor, ends a line, turns the writing round or is no character at all.</summary>
    public static bool IsControl(char c) =>
        char.IsControl(c)
        || c is '\u061C' or '\u200E' or '\u200F' or '\uFEFF' or (>= '\u2028' and <= '\u202E') or (>= '\u2066' and <= '\u2069');

    /// <summary>A text of whole characters, none of which is a control character (<see cref="IsControl"/>).</summary>
    public static bool IsPlain(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (IsControl(text[i])) return false;
            if (!char.IsSurrogate(text[i])) continue;
            if (i + 1 == text.Length || !char.IsSurrogatePair(text[i], text[i + 1])) return false;
            i++;
        }

        return true;
    }

    /// <summary>A text as it may be shown: control characters as <c>\\u001b</c>, and no more than so many characters.</summary>
    public static string Show(string text, int most = 60)
    {
        StringBuilder shown = new();
        foreach (var c in text.Length <= most ? text : text[..(most - 3)])
        {
            if (IsControl(c)) shown.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
            else shown.Append(c);
        }

        return text.Length <= most ? shown.ToString() : shown.Append("...").ToString();
    }
}
