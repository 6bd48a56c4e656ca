using System.Text;
using Distributed.Core.Jobs;
using Distributed.Silo.Failures;
using Distributed.Silo.Settings;

namespace Distributed.Silo.Security;

/// <summary>Files of certificates and keys, each with the variable that names it.</summary>
/// <remarks>Their content is never quoted: one of them is a secret.</remarks>
internal sealed record PemFiles(params IReadOnlyList<PemFile> Files)
{
    private const int LongestFile = 1 << 20;

    /// <summary>For messages, such as <c>DTRAIN_TLS_CERT (/etc/tls/tls.crt)</c>.</summary>
    public string Name(int file) => $"{Files[file].Variable} ({Files[file].Path})";

    /// <returns>The texts, in order.</returns>
    /// <exception cref="JobException">Codes <c>path-missing</c> and <c>settings-invalid</c>.</exception>
    public IReadOnlyList<string> Read() => [.. Files.Select((_, i) => Read(i))];

    private string Read(int file)
    {
        var path = Files[file].Path;
        if (Directory.Exists(path)) throw new JobException(ServeErrors.SettingsInvalid, $"{Name(file)} is a folder, expected a PEM file.");
        try
        {
            if (new FileInfo(path) is { Exists: true, Length: > LongestFile } large)
                throw new JobException(
                    ServeErrors.SettingsInvalid,
                    $"{Name(file)}: found {large.Length} bytes, expected a PEM file of at most {LongestFile}.");
            return File.ReadAllText(path, Encoding.Latin1);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new JobException(ErrorCodes.PathMissing, $"{Files[file].Variable}: no file {path}.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new JobException(
                ServeErrors.SettingsInvalid, $"{Name(file)} cannot be read: {e.Message} Let the user that runs the silo read it.", e);
        }
    }
}

internal sealed record PemFile(string Variable, string Path);
