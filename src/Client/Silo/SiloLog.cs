using System.Text;

namespace Distributed.Client.Silo;

/// <summary>Copies a silo's stderr to a file and keeps the place where this run's part begins.</summary>
internal sealed class SiloLog : IDisposable
{
    private const int TailLines = 15;
    private const int TailBytes = 8192;
    private readonly FileStream file;
    private readonly long begin;

    public SiloLog(string path, bool append)
    {
        Path = path;
        file = new FileStream(path, append ? FileMode.Append : FileMode.Create, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        begin = file.Position;
    }

    public string Path { get; }

    public Task CopyAsync(Stream stderr) => stderr.CopyToAsync(file);

    /// <summary>The last lines of this run; empty when the silo wrote none.</summary>
    public string Tail()
    {
        using FileStream reader = new(Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        reader.Position = Math.Max(begin, reader.Length - TailBytes);
        using StreamReader text = new(reader, Encoding.UTF8);
        return string.Join('\n', text.ReadToEnd().TrimEnd().Split('\n').TakeLast(TailLines));
    }

    public void Dispose() => file.Dispose();
}
