namespace Distributed.Core.Checkpoints;

/// <summary>Names inside a checkpoint's directory.</summary>
public static class CheckpointFiles
{
    /// <summary>Weights and buffers under PyTorch's names.</summary>
    public const string Model = "model.safetensors";

    /// <summary>Optimizer moments.</summary>
    public const string Optimizer = "optimizer.safetensors";

    /// <summary>A <see cref="TrainingSnapshot"/>.</summary>
    public const string State = "state.json";

    /// <summary>A <see cref="CheckpointManifest"/>: what the other files must be.</summary>
    public const string Manifest = "manifest.json";
}
