using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Distributed.Core.Jobs;
using TorchSharp;
using static TorchSharp.torch;

namespace Distributed.Training.Native;

/// <summary>
/// Autograd's post-accumulate-gradient hook on a leaf: called once a backward, as soon as the leaf's gradient is complete.
/// </summary>
/// <remarks>
/// TorchSharp does not offer it. libtorch takes an object with a virtual table (Itanium C++ layout); this one leads to a managed
/// action. Without a device the hook runs on the thread that called backward. Exceptions stay on the managed side.
/// </remarks>
internal static unsafe partial class GradientHook
{
    private static readonly nint* Table = MakeTable();

    [ThreadStatic]
    private static Exception? raised;

    /// <summary>Calls <paramref name="ready"/> whenever a backward has completed the leaf's gradient; replaces an earlier hook.</summary>
    public static void Set(Tensor leaf, Action ready)
    {
        var hook = (Hook*)NativeMemory.Alloc((nuint)sizeof(Hook));
        hook->Table = (nint)(Table + 2);
        hook->Action = GCHandle.ToIntPtr(GCHandle.Alloc(ready));
        var owned = (nint)hook;
        SetHooks(leaf.Handle, &owned);
    }

    /// <summary>Takes the leaf's hook away.</summary>
    public static void Clear(Tensor leaf)
    {
        nint none = 0;
        SetHooks(leaf.Handle, &none);
    }

    /// <summary>Throws what a hook threw during a backward of this thread.</summary>
    public static void ThrowIfRaised()
    {
        if (raised is not { } error) return;
        raised = null;
        throw new JobException(ErrorCodes.Internal, $"A gradient hook failed: {error.Message}", error);
    }

    private static nint* MakeTable()
    {
        // offset-to-top, type information, then the virtual functions in order of declaration: both destructors, the call, and two that
        // compiled autograd alone uses.
        var table = (nint*)NativeMemory.AllocZeroed(7, (nuint)sizeof(nint));
        table[2] = (nint)(delegate* unmanaged[Cdecl]<Hook*, void>)&Destroy;
        table[3] = (nint)(delegate* unmanaged[Cdecl]<Hook*, void>)&Delete;
        table[4] = (nint)(delegate* unmanaged[Cdecl]<Hook*, nint, void>)&Call;
        table[5] = (nint)(delegate* unmanaged[Cdecl]<Hook*, nint, void>)&CompiledArguments;
        table[6] = (nint)(delegate* unmanaged[Cdecl]<Hook*, nint, nint, void>)&ApplyWithSaved;
        return table;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Destroy(Hook* hook) => Free(hook);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Delete(Hook* hook)
    {
        Free(hook);
        NativeMemory.Free(hook);
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Call(Hook* hook, nint tensor)
    {
        try
        {
            ((Action)GCHandle.FromIntPtr(hook->Action).Target!)();
        }
#pragma warning disable CA1031 // An exception that crossed into native code would end the process.
        catch (Exception e)
#pragma warning restore CA1031
        {
            raised ??= e;
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void CompiledArguments(Hook* hook, nint arguments)
    {
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void ApplyWithSaved(Hook* hook, nint tensor, nint saved)
    {
    }

    private static void Free(Hook* hook)
    {
        if (hook->Action == 0) return;
        GCHandle.FromIntPtr(hook->Action).Free();
        hook->Action = 0;
    }

    // void set_post_acc_grad_hooks(const at::TensorBase&, std::unique_ptr<PostAccumulateGradHook>): the pointer is passed by
    // reference and taken over.
    [LibraryImport(
        "torch_cpu",
        EntryPoint = "_ZN5torch8autograd4impl23set_post_acc_grad_hooksERKN2at10TensorBaseESt10unique_ptrINS0_22PostAccumulateGradHookESt14default_deleteIS7_EE")]
    private static partial void SetHooks(nint leaf, nint* hook);

    [StructLayout(LayoutKind.Sequential)]
    private struct Hook
    {
        public nint Table;
        public nint Action;
    }
}
