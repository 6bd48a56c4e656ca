using System.Text;
using Distributed.Core.DataSets;

namespace Distributed.Training.Data;

/// <summary>
/// Turns a review's bytes into text: by the mark at their start, else by the encoding that the job names, else as UTF-8. Never by guess.
/// </summary>
internal static class ReviewText
{
    private static readonly (byte[] Mark, Encoding Encoding)[] Marks =
    [
        ([0xEF, 0xBB, 0xBF], Strict(TextEncodings.Utf8)),
        ([0xFF, 0xFE, 0, 0], new UTF32Encoding(bigEndian: false, byteOrderMark: false, throwOnInvalidCharacters: true)),
        ([0, 0, 0xFE, 0xFF], new UTF32Encoding(bigEndian: true, byteOrderMark: false, throwOnInvalidCharacters: true)),
        ([0xFF, 0xFE], Strict(TextEncodings.Utf16LittleEndian)),
        ([0xFE, 0xFF], Strict(TextEncodings.Utf16BigEndian)),
    ];

    /// <param name="encoding">One of <see cref="TextEncodings.All"/>.</param>
    /// <param name="file">For messages.</param>
    /// <exception cref="Core.Jobs.JobException">
    /// <c>data-invalid</c>: the bytes are no text in that encoding; names file and place.
    /// </exception>
    public static string Decode(byte[] bytes, string encoding, string file)
    {
        ReadOnlySpan<byte> content = bytes;
        var (mark, chosen) = Array.Find(Marks, m => bytes.AsSpan().StartsWith(m.Mark));
        if (mark is not null) content = content[mark.Length..];
        else chosen = Strict(encoding);
        try
        {
            var text = chosen.GetString(content);
            return text.Contains('\0', StringComparison.Ordinal) ? throw NoText(file, "it holds zero characters", chosen) : text;
        }
        catch (DecoderFallbackException e)
        {
            throw NoText(file, $"byte offset {Math.Max(0, e.Index) + (mark?.Length ?? 0)}", chosen);
        }
    }

    private static Core.Jobs.JobException NoText(string file, string where, Encoding tried) => DataFile.Invalid(
        file, $"not {tried.WebName} text ({where})",
        $"if it is written in another encoding, name it as data.encoding ({string.Join(", ", TextEncodings.All)})");

    private static Encoding Strict(string name) => name switch
    {
        TextEncodings.Utf8 => new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true),
        TextEncodings.Utf16LittleEndian => new UnicodeEncoding(bigEndian: false, byteOrderMark: false, throwOnInvalidBytes: true),
        TextEncodings.Utf16BigEndian => new UnicodeEncoding(bigEndian: true, byteOrderMark: false, throwOnInvalidBytes: true),
        TextEncodings.Latin1 => Encoding.Latin1,
        TextEncodings.Windows1252 =>
            CodePagesEncodingProvider.Instance.GetEncoding(1252, EncoderFallback.ExceptionFallback, DecoderFallback.ExceptionFallback)!,
        _ => throw new ArgumentException($"No encoding \"{name}\".", nameof(name)),
    };
}
