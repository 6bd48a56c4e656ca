using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace Distributed.Silo.Folders;

/// <summary>One file of a journal: whole lines, and where every so-many-th of them begins.</summary>
internal sealed class JournalSegment
{
    public const string Extension = ".lines";
    private const int IndexEvery = 256;
    private const int BufferBytes = 1 << 16;

    private readonly List<long> index = [];

    private JournalSegment(string path, long epoch, long first) => (Path, Epoch, First) = (path, epoch, first);

    public string Path { get; }

    public long Epoch { get; }

    /// <summary>Number of its first line.</summary>
    public long First { get; }

    /// <summary>Lines that count.</summary>
    public long Lines { get; private set; }

    public static JournalSegment New(string folder, string kind, long epoch, long first) =>
        new(
            System.IO.Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{kind}-{epoch:D8}-{first:D12}{Extension}")), epoch,
            first);

    /// <returns>Null for a file that is none of a journal's.</returns>
    public static JournalSegment? Parse(string path)
    {
        var parts = System.IO.Path.GetFileNameWithoutExtension(path).Split('-');
        return parts.Length == 3 && long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var epoch)
            && long.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out var first) ? new JournalSegment(
                path, epoch, first) : null;
    }

    /// <summary>Notes a line that was written.</summary>
    /// <returns>Where the next one begins.</returns>
    public long Add(long at, int bytes)
    {
        if (Lines++ % IndexEvery == 0) index.Add(at);
        return at + bytes;
    }

    /// <summary>Finds the whole lines there are; one without its end was never finished.</summary>
    public async Task Count()
    {
        using var file = Open();
        var buffer = new byte[BufferBytes];
        long at = 0, lineStart = 0;
        for (int read; (read = await file.ReadAsync(buffer)) > 0; at += read)
        {
            for (var i = 0; i < read; i++)
            {
                if (buffer[i] != '\n') continue;
                Add(lineStart, 0);
                lineStart = at + i + 1;
            }
        }
    }

    /// <summary>The next segment begins at this number: what lies beyond was written too late.</summary>
    public void EndAt(long number) => Lines = Math.Clamp(number - First, 0, Lines);

    /// <param name="from">Within this segment.</param>
    public async Task Read(long from, int count, ImmutableArray<string>.Builder into)
    {
        using var file = Open();
        file.Position = index[(int)(from / IndexEvery)];
        using var reader = new StreamReader(file, Encoding.UTF8, false, BufferBytes);
        for (var number = from / IndexEvery * IndexEvery; number < Lines && count > 0; number++)
        {
            var line = await reader.ReadLineAsync() ?? throw new IOException($"{Path} has become shorter while it was read.");
            if (number < from) continue;
            into.Add(line);
            count--;
        }
    }

    private FileStream Open() =>
        new(Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 1, useAsync: true);
}
