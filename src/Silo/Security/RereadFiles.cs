using System.Security.Cryptography;
using System.Text;
using Distributed.Core.Jobs;

namespace Distributed.Silo.Security;

/// <summary>
/// What was made of some files, made anew once they hold something else. Files that do not fit, such as half of a pair, change nothing.
/// </summary>
/// <remarks>Contents are compared, not dates: mounted secrets are replaced by turning links. Thread-safe.</remarks>
internal sealed partial class RereadFiles<T> where T : class
{
    /// <summary>Shortest time between two looks.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly PemFiles files;
    private readonly Func<IReadOnlyList<string>, T> read;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly Lock gate = new();
    private T value;
    private byte[] seen;
    private string? complaint;
    private long looked;

    /// <exception cref="JobException">The files do not fit now.</exception>
    public RereadFiles(PemFiles files, Func<IReadOnlyList<string>, T> read, TimeProvider time, ILogger logger)
    {
        (this.files, this.read, this.time, this.logger) = (files, read, time, logger);
        var texts = files.Read();
        (value, seen, looked) = (read(texts), Digest(texts), time.GetTimestamp());
    }

    public T Value
    {
        get
        {
            lock (gate)
            {
                if (time.GetElapsedTime(looked) < Interval) return value;
                looked = time.GetTimestamp();
                try
                {
                    Look();
                }
                catch (JobException e)
                {
                    if (complaint != e.Message) LogKept(complaint = e.Message);
                }
                return value;
            }
        }
    }

    private void Look()
    {
        var texts = files.Read();
        var digest = Digest(texts);
        if (digest.AsSpan().SequenceEqual(seen)) return;
        value = read(texts);
        (seen, complaint) = (digest, null);
        LogTaken(string.Join(", ", files.Files.Select(f => f.Path)));
    }

    private static byte[] Digest(IReadOnlyList<string> texts) =>
        SHA256.HashData([.. texts.SelectMany(t => SHA256.HashData(Encoding.UTF8.GetBytes(t)))]);

    [LoggerMessage(4205, LogLevel.Information, "The new content of {Files} is used for certificates.")]
    private partial void LogTaken(string files);

    [LoggerMessage(4206, LogLevel.Warning, "New certificate files are not used, the old ones stay: {Complaint}")]
    private partial void LogKept(string complaint);
}
