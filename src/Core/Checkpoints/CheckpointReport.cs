namespace Distributed.Core.Checkpoints;

/// <summary>What a look at one checkpoint found.</summary>
/// <param name="Manifest">Null when it is missing or damaged.</param>
/// <param name="Files">The manifest itself first, then each file that it lists.</param>
public sealed record CheckpointReport(string Path, CheckpointManifest? Manifest, IReadOnlyList<CheckpointFileCheck> Files)
{
    public bool Ok => Manifest is not null && Files.All(f => f.Ok);

    /// <summary>Every fault in one line, each with its file's path; empty when there is none.</summary>
    public string Faults => string.Join("; ", Files.Where(f => !f.Ok).Select(f => $"{System.IO.Path.Combine(Path, f.Name)}: {f.Detail}"));
}

/// <param name="Detail">What was found, and what was expected where they differ.</param>
public sealed record CheckpointFileCheck(string Name, bool Ok, string Detail);
