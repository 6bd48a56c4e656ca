using Distributed.Core.Checkpoints;
using Distributed.Core.Jobs;
using Distributed.Core.Values;
using Distributed.Training.Devices;
using Distributed.Training.Native;
using Distributed.Training.Parameters;
using TorchSharp;
using static TorchSharp.torch;

namespace Distributed.Training.Checkpoints;

/// <summary>Flat buffers to and from safetensors files: one FP32 tensor a parameter, logical row-major.</summary>
internal static class TensorFiles
{
    private const int MostNames = 20;

    /// <summary>Fills a flat buffer from the file's tensors; every parameter must be there in its shape, with finite values.</summary>
    /// <param name="nameOf">Parameter name to tensor name.</param>
    /// <param name="dtypes">Element types that will do.</param>
    public static void Read(
        SafetensorsFile file, ParameterLayout layout, Tensor flat, Func<string, string> nameOf, IReadOnlyList<TensorDtype> dtypes,
        string errorCode)
    {
        foreach (var slot in layout.Slots)
        {
            AbortSignal.ThrowIfRaised();
            var name = nameOf(slot.Spec.Name);
            var expected = $"{Either(dtypes)} {new EquatableList<long>(slot.Spec.Shape)}";
            var entry = file.Find(name) ?? throw new JobException(
                errorCode, $"{file.Path} has no tensor \"{name}\"; expected {expected}. It holds {List(file.Tensors)}.");
            if (!dtypes.Contains(entry.Dtype) || !entry.Shape.SequenceEqual(slot.Spec.Shape))
                throw new JobException(
                    errorCode, $"{file.Path}: tensor \"{name}\" is {entry.Dtype.Word()} {entry.Shape}; expected {expected}.");
            RowMajor.Write(slot, flat, FloatTensor.Read(file, entry, errorCode));
        }
    }

    /// <summary>Names, types and shapes, the first of a long list.</summary>
    public static string List(IReadOnlyCollection<TensorEntry> tensors) => tensors.Count == 0 ? "none"
        : string.Join(", ", tensors.Take(MostNames)) + (tensors.Count > MostNames ? $" and {tensors.Count - MostNames} more" : "");

    private static string Either(IReadOnlyList<TensorDtype> dtypes) =>
        dtypes.Count == 1 ? dtypes[0].Word() : $"{string.Join(", ", dtypes.SkipLast(1).Select(d => d.Word()))} or {dtypes[^1].Word()}";

    /// <summary>Writes flat buffers, parameter by parameter in parameter order.</summary>
    /// <param name="buffers">Prefix of the tensor names, and the flat buffer.</param>
    public static void Write(
        Stream stream, ParameterLayout layout, IDeviceRuntime device, IReadOnlyList<(string Prefix, Tensor Flat)> buffers)
    {
        var parts = buffers.SelectMany(b => layout.Slots.Select(slot => (b.Flat, Slot: slot, Name: b.Prefix + slot.Spec.Name))).ToArray();
        var shapes = parts.Select(p => new TensorShape(p.Name, TensorDtype.F32, new EquatableList<long>(p.Slot.Spec.Shape))).ToArray();
        SafetensorsWriter.Write(stream, shapes, null, (i, target) =>
        {
            using var logical = RowMajor.Read(parts[i].Slot, parts[i].Flat, device);
            RowMajor.ForEachChunk(logical, target.Write);
        });
    }
}
