using Distributed.Core;
using Distributed.Core.Checkpoints;
using Distributed.Training.Parameters;

namespace Distributed.Training.Checkpoints;

/// <summary>Weights from a safetensors file, by PyTorch's parameter names: a new run that starts from them, not a resumed one.</summary>
internal static class WarmStart
{
    /// <exception cref="JobException">A file that does not exist, or lacks a parameter, or has it in another shape.</exception>
    public static void Load(string path, Replica replica)
    {
        if (!File.Exists(path)) throw new JobException(ErrorCodes.PathMissing, $"model.weights: {path} does not exist; expected a safetensors file.");
        using var file = SafetensorsFile.Open(path, ErrorCodes.DataInvalid);
        TensorFiles.Read(file, replica.Layout, replica.Master, name => name, ErrorCodes.DataInvalid);
    }
}
