using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Distributed.Training.Native;

/// <summary>libtorch's own autocast on the calling thread until disposed; nests and restores what was there before.</summary>
/// <remarks>
/// The switches are thread-local: never hold a scope across an await. The weight-cast cache stays off: it is shared by the whole
/// process behind a lock, and working copies (see <c>Replica</c>) do its job.
/// </remarks>
internal readonly partial struct AutocastScope : IDisposable
{
    private const string Library = "torch_cpu";
    private readonly sbyte device;
    private readonly sbyte dtypeBefore;
    private readonly bool enabledBefore;
    private readonly bool cacheBefore;
    private readonly int thread;

    private AutocastScope(DeviceType type, ScalarType dtype)
    {
        device = (sbyte)type;
        thread = Environment.CurrentManagedThreadId;
        enabledBefore = IsEnabledNative(device);
        dtypeBefore = GetDtype(device);
        cacheBefore = IsCacheEnabled();
        SetEnabled(device, true);
        SetDtype(device, (sbyte)dtype);
        SetCacheEnabled(false);
        _ = IncrementNesting();
    }

    /// <summary>Lowers eligible operators on <paramref name="type"/> to <paramref name="dtype"/>.</summary>
    public static AutocastScope Enter(DeviceType type, ScalarType dtype) => new(type, dtype);

    /// <summary>Whether autocast is on for the device type on this thread.</summary>
    public static bool IsEnabled(DeviceType type) => IsEnabledNative((sbyte)type);

    public void Dispose()
    {
        if (thread == 0) return;
        if (thread != Environment.CurrentManagedThreadId)
            throw new InvalidOperationException("An autocast scope was left on another thread than it was entered on.");
        if (DecrementNesting() == 0) ClearCache();
        SetEnabled(device, enabledBefore);
        SetDtype(device, dtypeBefore);
        SetCacheEnabled(cacheBefore);
    }

    [LibraryImport(Library, EntryPoint = "_ZN2at8autocast20set_autocast_enabledEN3c1010DeviceTypeEb")]
    private static partial void SetEnabled(sbyte device, [MarshalAs(UnmanagedType.U1)] bool on);

    [LibraryImport(Library, EntryPoint = "_ZN2at8autocast19is_autocast_enabledEN3c1010DeviceTypeE")]
    [return: MarshalAs(UnmanagedType.U1)]
    private static partial bool IsEnabledNative(sbyte device);

    [LibraryImport(Library, EntryPoint = "_ZN2at8autocast18set_autocast_dtypeEN3c1010DeviceTypeENS1_10ScalarTypeE")]
    private static partial void SetDtype(sbyte device, sbyte dtype);

    [LibraryImport(Library, EntryPoint = "_ZN2at8autocast18get_autocast_dtypeEN3c1010DeviceTypeE")]
    private static partial sbyte GetDtype(sbyte device);

    [LibraryImport(Library, EntryPoint = "_ZN2at8autocast25is_autocast_cache_enabledEv")]
    [return: MarshalAs(UnmanagedType.U1)]
    private static partial bool IsCacheEnabled();

    [LibraryImport(Library, EntryPoint = "_ZN2at8autocast26set_autocast_cache_enabledEb")]
    private static partial void SetCacheEnabled([MarshalAs(UnmanagedType.U1)] bool on);

    [LibraryImport(Library, EntryPoint = "_ZN2at8autocast11clear_cacheEv")]
    private static partial void ClearCache();

    [LibraryImport(Library, EntryPoint = "_ZN2at8autocast17increment_nestingEv")]
    private static partial int IncrementNesting();

    [LibraryImport(Library, EntryPoint = "_ZN2at8autocast17decrement_nestingEv")]
    private static partial int DecrementNesting();
}
