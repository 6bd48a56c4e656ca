using Distributed.Core;
using Distributed.Core.Checkpoints;
using Distributed.Core.Jobs;
using Distributed.Training.Parameters;
using TorchSharp;
using static TorchSharp.torch;

namespace Distributed.Training.Checkpoints;

/// <summary>Flat buffers to and from safetensors files: one FP32 tensor a parameter, logical row-major.</summary>
internal static class TensorFiles
{
    /// <summary>Fills a flat buffer from the file's tensors; every parameter must be there in its shape.</summary>
    /// <param name="nameOf">Parameter name to tensor name.</param>
    public static void Read(SafetensorsFile file, ParameterLayout layout, Tensor flat, Func<string, string> nameOf, string errorCode)
    {
        foreach (var slot in layout.Slots)
        {
            var name = nameOf(slot.Spec.Name);
            var expected = new TensorShape(name, TensorDtype.F32, new EquatableList<long>(slot.Spec.Shape));
            var entry = file.Find(name) ?? throw new JobException(
                errorCode, $"{file.Path} has no tensor \"{name}\"; expected {expected.Dtype} {expected.Shape}. It holds {string.Join(", ", file.Tensors.Take(20).Select(t => t.Name))}.");
            if (entry.Dtype != expected.Dtype || !entry.Shape.Equals(expected.Shape))
                throw new JobException(errorCode, $"{file.Path}: tensor \"{name}\" is {entry.Dtype} {entry.Shape}; expected {expected.Dtype} {expected.Shape}.");
            var bytes = new byte[entry.Bytes];
            file.Read(name, bytes);
            RowMajor.Write(slot, flat, bytes);
        }
    }

    /// <summary>Writes flat buffers, parameter by parameter in parameter order.</summary>
    /// <param name="buffers">Prefix of the tensor names, and the flat buffer.</param>
    public static void Write(Stream stream, ParameterLayout layout, IReadOnlyList<(string Prefix, Tensor Flat)> buffers)
    {
        var parts = buffers.SelectMany(b => layout.Slots.Select(slot => (b.Flat, Slot: slot, Name: b.Prefix + slot.Spec.Name))).ToArray();
        var shapes = parts.Select(p => new TensorShape(p.Name, TensorDtype.F32, new EquatableList<long>(p.Slot.Spec.Shape))).ToArray();
        SafetensorsWriter.Write(stream, shapes, null, (i, target) =>
        {
            using var logical = RowMajor.Read(parts[i].Slot, parts[i].Flat);
            RowMajor.ForEachChunk(logical, target.Write);
        });
    }
}
