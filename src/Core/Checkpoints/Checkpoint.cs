namespace Distributed.Core.Checkpoints;

/// <summary>A complete checkpoint whose files were compared with its manifest.</summary>
/// <param name="Path">Its directory, absolute.</param>
public sealed record Checkpoint(string Path, long Step, CheckpointManifest Manifest)
{
    public string ModelFile => System.IO.Path.Combine(Path, CheckpointFiles.Model);

    public string OptimizerFile => System.IO.Path.Combine(Path, CheckpointFiles.Optimizer);

    public string StateFile => System.IO.Path.Combine(Path, CheckpointFiles.State);
}
