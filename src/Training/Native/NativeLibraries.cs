using System.Runtime.InteropServices;
using Distributed.Core;

namespace Distributed.Training.Native;

/// <summary>Loads libtorch and TorchSharp's bridge before anything else touches them.</summary>
/// <remarks>
/// TorchSharp's bridge asks for GLIBCXX_3.4.32, a mere marker that Debian 12 lacks. Where the stock file does not load, a copy
/// whose requirement is weak is loaded from memory; a later load by name finds it by its SONAME. Nothing is written to disk.
/// </remarks>
internal static partial class NativeLibraries
{
    private const string Bridge = "libLibTorchSharp.so";
    private const string MissingVersion = "GLIBCXX_3.4.32";
    private static readonly string[] Torch = ["libc10.so", "libtorch_cpu.so", "libtorch.so"];

    /// <returns>How the bridge was loaded, for reports.</returns>
    /// <exception cref="JobException">Code <c>native</c>: which file, what the loader said, and the remedy.</exception>
    public static string Load()
    {
        if (!OperatingSystem.IsLinux()) return "by the runtime";
        foreach (var name in Torch) LoadOrExplain(Find(name));
        var path = Find(Bridge);
        if (NativeLibrary.TryLoad(path, out _)) return "as shipped";
        var image = File.ReadAllBytes(path);
        if (ElfVersionNeed.MarkWeak(image, MissingVersion) == 0) LoadOrExplain(path);
        LoadFromMemory(image);
        return $"with {MissingVersion} made optional";
    }

    private static string Find(string name)
    {
        var directories = ((AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string) ?? "")
            .Split(':', StringSplitOptions.RemoveEmptyEntries).Append(AppContext.BaseDirectory);
        return directories.Select(d => Path.Combine(d, name)).FirstOrDefault(File.Exists) ?? throw new JobException(
            ErrorCodes.Native, $"{name} is not beside the program ({AppContext.BaseDirectory}). Build or publish again: the package libtorch-cpu-linux-x64 brings it.");
    }

    private static void LoadOrExplain(string path)
    {
        try
        {
            NativeLibrary.Load(path);
        }
        catch (DllNotFoundException e)
        {
            throw new JobException(ErrorCodes.Native, $"{path} does not load: {e.Message.Split('\n')[0]} Use Debian 12, Ubuntu 22.04 or newer on x64.", e);
        }
    }

    private static void LoadFromMemory(byte[] image)
    {
        var file = MemoryFile(Bridge, 0);
        if (file < 0) throw new JobException(ErrorCodes.Native, $"memfd_create failed with error {Marshal.GetLastPInvokeError()}; {Bridge} needs it on this system.");
        using (var handle = new Microsoft.Win32.SafeHandles.SafeFileHandle(file, ownsHandle: true))
        {
            RandomAccess.Write(handle, image, 0);
            LoadOrExplain($"/proc/self/fd/{file}");
        }
    }

    [LibraryImport("libc", EntryPoint = "memfd_create", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MemoryFile(string name, uint flags);
}
