using System.Security.Cryptography;
using Distributed.Core.Machine;

namespace Distributed.Core.Checkpoints;

/// <summary>Compares a checkpoint's files with its manifest, to the last byte.</summary>
public static class CheckpointVerifier
{
    private const int Chunk = 1 << 20;

    /// <param name="path">Directory of one checkpoint.</param>
    /// <param name="ending">Nobody needs the answer any more.</param>
    /// <remarks>Never throws for what it finds: a file that is missing, unreadable or different becomes a line of the report.</remarks>
    public static CheckpointReport Verify(string path, CancellationToken ending = default)
    {
        var checks = new List<CheckpointFileCheck>();
        var manifest = ReadManifest(path, checks);
        foreach (var file in manifest?.Files ?? []) checks.Add(Check(path, file, ending));
        return new CheckpointReport(path, manifest, checks);
    }

    private static CheckpointManifest? ReadManifest(string path, List<CheckpointFileCheck> checks)
    {
        try
        {
            var file = Path.Combine(path, CheckpointFiles.Manifest);
            if (new FileInfo(file) is { Exists: true, Length: > CheckpointManifest.MaxBytes } large)
                throw new FormatException($"{large.Length} bytes, expected at most {CheckpointManifest.MaxBytes}");
            var manifest = CheckpointManifest.Parse(RegularFile.ReadAllBytes(file));
            var named = !CheckpointName.TryParse(Path.GetFileName(Path.TrimEndingDirectorySeparator(path)), out var step)
                || step == manifest.Step;
            checks.Add(new CheckpointFileCheck(
                CheckpointFiles.Manifest, named,
                named ? $"step {manifest.Step}" : $"is of step {manifest.Step}, the directory's name says {step}"));
            return manifest;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            checks.Add(new CheckpointFileCheck(CheckpointFiles.Manifest, false, "missing: the checkpoint was never completed"));
        }
        catch (Exception e) when (e is FormatException or IOException or UnauthorizedAccessException)
        {
            checks.Add(new CheckpointFileCheck(CheckpointFiles.Manifest, false, e.Message));
        }

        return null;
    }

    private static CheckpointFileCheck Check(string path, CheckpointFileEntry expected, CancellationToken ending)
    {
        try
        {
            using var stream = RegularFile.OpenRead(Path.Combine(path, expected.Name));
            if (stream.Length != expected.Bytes)
                return new CheckpointFileCheck(expected.Name, false, $"{stream.Length} bytes, expected {expected.Bytes}");
            var found = Hash(stream, ending);
            return found == expected.Sha256
                ? new CheckpointFileCheck(expected.Name, true, $"{expected.Bytes} bytes, sha256 {found}")
                : new CheckpointFileCheck(expected.Name, false, $"sha256 is {found}, expected {expected.Sha256}");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return new CheckpointFileCheck(expected.Name, false, $"missing, expected {expected.Bytes} bytes");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new CheckpointFileCheck(expected.Name, false, e.Message);
        }
    }

    private static string Hash(FileStream stream, CancellationToken ending)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var part = new byte[Chunk];
        while (stream.Read(part) is > 0 and var read)
        {
            ending.ThrowIfCancellationRequested();
            hash.AppendData(part, 0, read);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
