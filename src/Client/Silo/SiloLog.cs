namespace Distributed.Client.Silo;

/// <summary>Copies a silo's stderr to a file and keeps the place where this run's part begins.</summary>
internal sealed class SiloLog : IDisposable
{
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
    public string Tail() => LogTail.Read(Path, begin);

    public void Dispose() => file.Dispose();
}
