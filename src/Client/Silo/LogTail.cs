using System.Text;

namespace Distributed.Client.Silo;

/// <summary>The last lines of a silo's log, as a message can quote them.</summary>
internal static class LogTail
{
    private const int Lines = 15;
    private const int Bytes = 16384;
    private const int LongestLine = 400;
    private const string StackFrame = "   at ";

    /// <param name="path">A log, which may still be written to.</param>
    /// <param name="from">The byte from which on it counts.</param>
    /// <returns>Lines without traces of the stack, and long ones cut; the log has the whole. Empty when there are none.</returns>
    public static string Read(string path, long from)
    {
        using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        stream.Position = Math.Max(from, stream.Length - Bytes);
        using StreamReader text = new(stream, Encoding.UTF8);
        return string.Join('\n', text.ReadToEnd().TrimEnd().Split('\n').Select(Short).Where(line => line.Length > 0).TakeLast(Lines));
    }

    private static string Short(string line)
    {
        var frame = line.IndexOf(StackFrame, StringComparison.Ordinal);
        var words = (frame < 0 ? line : line[..frame]).TrimEnd();
        return words.Length <= LongestLine ? words : words[..LongestLine] + "...";
    }
}
