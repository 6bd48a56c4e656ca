using System.Collections.Immutable;
using System.Text;
using Distributed.Core.Machine;
using Distributed.Grains.Contracts;

namespace Distributed.Silo.Folders;

/// <summary>
/// A journal in segments, one for each writer it has had: <c>events-EPOCH-FIRST.lines</c>, where FIRST is the number of its first line.
/// </summary>
/// <remarks>A segment counts up to where the next one begins, so what a superseded writer adds late is never read. Thread-safe.</remarks>
internal sealed class FileJournal : IJobJournal
{
    private readonly string folder;
    private readonly string kind;
    private readonly List<JournalSegment> segments;
    private readonly SemaphoreSlim gate = new(1);
    private FileStream? writing;
    private long epoch;

    private FileJournal(string folder, string kind, List<JournalSegment> segments) =>
        (this.folder, this.kind, this.segments, End) = (folder, kind, segments,
            segments.Count == 0 ? 0 : segments[^1].First + segments[^1].Lines);

    public long End { get; private set; }

    public long Epoch => segments.Count == 0 ? 0 : segments[^1].Epoch;

    /// <exception cref="IOException">The folder cannot be read.</exception>
    public static async Task<FileJournal> Open(string folder, string kind)
    {
        var segments = Directory.Exists(folder)
            ? Directory.EnumerateFiles(folder, $"{kind}-*{JournalSegment.Extension}").Select(JournalSegment.Parse).OfType<JournalSegment>()
                .OrderBy(s => s.Epoch).ToList()
            : [];
        for (var i = 0; i < segments.Count; i++)
        {
            await segments[i].Count();
            if (i > 0) segments[i - 1].EndAt(segments[i].First);
        }

        return new FileJournal(folder, kind, segments);
    }

    public Task Begin(long epoch)
    {
        this.epoch = epoch;
        return Task.CompletedTask;
    }

    public async Task Append(IReadOnlyList<string> lines)
    {
        if (epoch == 0) throw new InvalidOperationException("A journal is written to after it was begun.");
        await gate.WaitAsync();
        try
        {
            await Write(lines);
            End += lines.Count;
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException(e.Message, e);
        }
        finally
        {
            gate.Release();
        }
    }

    public async Task<ImmutableArray<string>> Read(long from, int count)
    {
        await gate.WaitAsync();
        try
        {
            var lines = ImmutableArray.CreateBuilder<string>();
            foreach (var segment in segments)
            {
                var start = from + lines.Count;
                if (start >= segment.First + segment.Lines || lines.Count == count) continue;
                await segment.Read(start - segment.First, count - lines.Count, lines);
            }

            return lines.ToImmutable();
        }
        finally
        {
            gate.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (writing is not null) await writing.DisposeAsync();
        writing = null;
    }

    private async Task Write(IReadOnlyList<string> lines)
    {
        if (writing is null)
        {
            Directory.CreateDirectory(folder);
            PathFence.Demand(folder);
            var segment = JournalSegment.New(folder, kind, epoch, End);
            // No buffer: what was written outlives the process.
            writing = new FileStream(
                segment.Path, FileMode.CreateNew, FileAccess.Write, FileShare.Read | FileShare.Delete, bufferSize: 0, useAsync: true);
            segments.Add(segment);
        }

        var text = new StringBuilder();
        foreach (var line in lines) text.Append(line).Append('\n');
        var length = writing.Position;
        try
        {
            await writing.WriteAsync(Encoding.UTF8.GetBytes(text.ToString()));
        }
        catch (IOException)
        {
            // Half of a batch would be numbered wrongly ever after.
            writing.SetLength(length);
            writing.Position = length;
            throw;
        }

        var at = length;
        foreach (var line in lines) at = segments[^1].Add(at, Encoding.UTF8.GetByteCount(line) + 1);
    }
}
