using System.Runtime.InteropServices;
using Distributed.Core.Jobs;

namespace Distributed.Training.Native;

/// <summary>
/// TorchSharp's native half, <c>libLibTorchSharp.so</c>: found beside the program, held against the loaded libtorch, then loaded.
/// </summary>
/// <remarks>
/// It asks for GLIBCXX_3.4.32, a mere marker that Debian 12 lacks. Where the stock file does not load, a copy whose requirement is
/// weak is loaded from memory; a later load by name finds it by its SONAME. Nothing is written to disk.
/// </remarks>
internal sealed partial class TorchSharpBridge
{
    private const string FileName = "libLibTorchSharp.so";
    private const string MissingVersion = "GLIBCXX_3.4.32";
    private readonly string path;

    private TorchSharpBridge(string path, IReadOnlyList<ElfImport> imports)
    {
        this.path = path;
        Imports = imports;
    }

    /// <summary>What it takes from libtorch and the system.</summary>
    public IReadOnlyList<ElfImport> Imports { get; }

    /// <exception cref="JobException">Code <c>native</c>: the file is missing or damaged, and the remedy.</exception>
    public static TorchSharpBridge Find()
    {
        var directories = ((AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string) ?? "")
            .Split(':', StringSplitOptions.RemoveEmptyEntries).Append(AppContext.BaseDirectory);
        var path = directories.Select(directory => Path.Combine(directory, FileName)).FirstOrDefault(File.Exists) ?? throw new JobException(
            ErrorCodes.Native,
            $"{FileName} is not next to the program ({AppContext.BaseDirectory}). Build or publish again: "
            + "the package TorchSharp brings it.");
        try
        {
            return new TorchSharpBridge(path, ElfFile.Read(path).ReadImports());
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            throw new JobException(ErrorCodes.Native, $"{e.Message}. Build or publish again: the package TorchSharp brings it.", e);
        }
    }

    /// <returns>How it was loaded, for reports.</returns>
    /// <param name="absent">Functions that it will not find: a call of one becomes an exception that names it.</param>
    /// <param name="libtorch">What those exceptions call the libtorch.</param>
    /// <exception cref="JobException">Code <c>native</c>: what the loader said.</exception>
    public string Load(IReadOnlyList<ElfImport> absent, string libtorch)
    {
        var (bridge, how) = Load();
        AbsentFunctions.Guard(bridge, absent, libtorch);
        return how;
    }

    private (nint Handle, string How) Load()
    {
        if (NativeLibrary.TryLoad(path, out var stock)) return (stock, "as shipped");
        var image = File.ReadAllBytes(path);
        if (ElfVersionNeed.MarkWeak(image, MissingVersion) == 0) return (SharedLibrary.Load(path), "as shipped");
        var file = MemoryFile(FileName, 0);
        if (file < 0)
            throw new JobException(
                ErrorCodes.Native, $"memfd_create failed with error {Marshal.GetLastPInvokeError()}; {FileName} needs it on this system.");
        using var handle = new Microsoft.Win32.SafeHandles.SafeFileHandle(file, ownsHandle: true);
        RandomAccess.Write(handle, image, 0);
        return (SharedLibrary.Load($"/proc/self/fd/{file}"), $"with {MissingVersion} made optional");
    }

    [LibraryImport("libc", EntryPoint = "memfd_create", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MemoryFile(string name, uint flags);
}
