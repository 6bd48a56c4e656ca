using System.Runtime.InteropServices;
using Distributed.Core.Jobs;
using Distributed.Core.Machine;
using Distributed.Core.Values;
using TorchSharp;
using static TorchSharp.torch;

namespace Distributed.Training.Native;

/// <summary>Calls any ATen operator through libtorch's stable C interface; arguments are packed into 64-bit stack slots.</summary>
/// <remarks>
/// A call consumes the tensor and list slots it is given. Operators with Scalar-typed arguments cannot be called this way.
/// </remarks>
internal static unsafe partial class Dispatcher
{
    private const string Library = "torch_cpu";

    /// <summary>The interface version this code is written for: 2.10.</summary>
    private const ulong ExtensionVersion = (2UL << 56) | (10UL << 48);

    public const ulong None = 0;

    public static ulong LibraryVersion => AbiVersion();

    /// <summary>A new reference to the tensor, owned by the call.</summary>
    public static ulong Slot(Tensor tensor)
    {
        Check(NewHandle(tensor.Handle, out var handle), "aoti_torch_new_tensor_handle");
        return (ulong)handle;
    }

    public static ulong Slot(ReadOnlySpan<Tensor> tensors)
    {
        Check(NewList((nuint)tensors.Length, out var list), "torch_new_list_reserve_size");
        foreach (var tensor in tensors) Check(Push(list, Slot(tensor)), "torch_list_push_back");
        return (ulong)list;
    }

    public static ulong Slot(double value) => BitConverter.DoubleToUInt64Bits(value);

    public static ulong Slot(bool value) => value ? 1UL : 0UL;

    public static ulong Slot(long value) => (ulong)value;

    /// <summary>A present optional value; libtorch frees the box with delete, which is free() in glibc.</summary>
    public static ulong Some(ulong slot)
    {
        var box = (ulong*)NativeMemory.Alloc(sizeof(ulong));
        *box = slot;
        return (ulong)box;
    }

    /// <summary>The tensor in a result slot; the caller disposes it.</summary>
    public static Tensor Take(ulong slot) => Tensor.UnsafeCreateTensor((nint)slot);

    /// <summary>Runs the operator; results replace the arguments from the stack's start.</summary>
    /// <exception cref="JobException">Code <c>native</c>: the operator refused its arguments (its own words are on stderr).</exception>
    public static void Call(string name, string overload, Span<ulong> stack)
    {
        fixed (ulong* first = stack) Check(CallOperator(name, overload, first, ExtensionVersion), name);
    }

    private static void Check(int code, string what)
    {
        if (code == 0) return;
        // The reason goes to stderr alone; all that is left is to look whether memory can be it.
        throw MemoryCap.Use() is { } memory && memory.Used > memory.Most / 2
            ? new JobException(
                ErrorCodes.Memory,
                $"libtorch refused {what} when the process had {MemorySize.Text(memory.Used)} of the {MemorySize.Text(memory.Most)} of "
                + "memory that it may have: most likely it asked for more. "
                + "Use a smaller microBatch, a smaller model or fewer ranks on a silo.")
            : new JobException(
                ErrorCodes.Native, $"libtorch refused {what} (code {code}); its own message is on the silo's stderr.");
    }

    [LibraryImport(Library, EntryPoint = "torch_call_dispatcher", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int CallOperator(string name, string overload, ulong* stack, ulong version);

    [LibraryImport(Library, EntryPoint = "torch_new_list_reserve_size")]
    private static partial int NewList(nuint size, out nint list);

    [LibraryImport(Library, EntryPoint = "torch_list_push_back")]
    private static partial int Push(nint list, ulong value);

    [LibraryImport(Library, EntryPoint = "aoti_torch_new_tensor_handle")]
    private static partial int NewHandle(nint source, out nint copy);

    [LibraryImport(Library, EntryPoint = "aoti_torch_abi_version")]
    private static partial ulong AbiVersion();
}
