using Distributed.Core.Jobs;

namespace Distributed.Training.Native;

/// <summary>The libtorch of this process, loaded from one folder.</summary>
/// <param name="Place">Where its core library really lies, and who said so.</param>
/// <param name="Handle">Of the library that depends on all others of it.</param>
internal sealed record Libtorch(string Place, nint Handle, LibtorchBuild Build)
{
    private const string Cuda = "libtorch_cuda.so";

    /// <summary>In the order of loading: what the next one asks for is there already, so that the loader looks nowhere else.</summary>
    private static readonly string[] Order = ["libc10.so", LibtorchFolder.Core, Cuda, "libtorch.so"];

    /// <exception cref="JobException">
    /// Code <c>native</c>: which file is damaged, does not load or would be loaded twice, and the remedy.
    /// </exception>
    public static Libtorch Load(LibtorchFolder folder)
    {
        List<(string Name, string Path)> files =
            [.. from name in Order let path = folder.Find(name) where path is not null select (name, path)];
        var whole = RequireWhole(files.Select(file => file.Path));
        foreach (var (name, path) in files)
            if (whole[path].SoName != name)
                throw new JobException(
                    ErrorCodes.Native,
                    $"{path} calls itself {whole[path].SoName ?? "nothing"}, and TorchSharp's bridge asks for {name}. "
                    + "Use a libtorch of pytorch.org, pip or NuGet.");
        var core = files.Find(file => file.Name == LibtorchFolder.Core).Path;
        SecondCopy.Refuse(core);
        nint handle = 0;
        foreach (var (_, path) in files) handle = SharedLibrary.Load(path);
        var place = Path.GetDirectoryName(core) + (folder.IsNamed ? $" ({LibtorchFolder.Variable})" : "");
        return new Libtorch(place, handle, LibtorchBuild.Read(handle, whole[core], files.Exists(file => file.Name == Cuda)));
    }

    /// <summary>
    /// Reads the header of each file, and of those beside it that it asks for: the loader maps a file that is cut short, and the process
    /// dies at the first use of the rest.
    /// </summary>
    private static Dictionary<string, ElfFile> RequireWhole(IEnumerable<string> files)
    {
        Dictionary<string, ElfFile> whole = [];
        Queue<string> open = new(files);
        while (open.TryDequeue(out var path))
        {
            if (whole.ContainsKey(path)) continue;
            whole[path] = Read(path);
            foreach (var needed in whole[path].Needed)
                if (SharedLibrary.RealPath(Path.Combine(Path.GetDirectoryName(path)!, needed)) is { } beside) open.Enqueue(beside);
        }
        return whole;
    }

    private static ElfFile Read(string path)
    {
        try
        {
            return ElfFile.Read(path);
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            throw new JobException(ErrorCodes.Native, $"{e.Message}. Copy or install this libtorch again.", e);
        }
    }
}
