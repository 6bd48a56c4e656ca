using Distributed.Client.Silo;

namespace Distributed.Client.LocalCluster;

/// <summary>What one silo leaves in the cluster's folder: its mark, its ready line and its log.</summary>
internal sealed class SiloFiles(string root, int number)
{
    public int Number { get; } = number;

    public string Name { get; } = FormattableString.Invariant($"silo-{number}");

    public string Mark => Path.Combine(root, $"{Name}.pid");

    public string Ready => Path.Combine(root, $"{Name}.ready");

    public string Log => Path.Combine(root, $"{Name}.log");

    /// <returns>Null: it was never started, or its mark is not whole yet.</returns>
    public ProcessMark? ReadMark() => ReadText(Mark) is { } text ? ProcessMark.Parse(text) : null;

    /// <returns>Null: it has not said that it is ready.</returns>
    public SiloReply? ReadReply() =>
        ReadText(Ready) is { } text && text.IndexOf('\n', StringComparison.Ordinal) is > 0 and var end
            ? SiloHandshake.Read(text[..end])
            : null;

    /// <returns>The endpoint of the silo if it runs and is ready; otherwise null.</returns>
    public string? Address() =>
        ReadMark() is { IsAlive: true } mark && ReadReply() is { Ready: true } reply && reply.Pid == mark.Id ? reply.Address : null;

    public long LogLength() => File.Exists(Log) ? new FileInfo(Log).Length : 0;

    /// <summary>The last lines that the silo wrote behind a place of its log.</summary>
    public string Tail(long from) => File.Exists(Log) ? LogTail.Read(Log, from) : "";

    /// <summary>The log stays.</summary>
    public void Forget()
    {
        File.Delete(Mark);
        File.Delete(Ready);
    }

    private static string? ReadText(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception absent) when (absent is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }
}
