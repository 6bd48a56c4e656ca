using Distributed.Core.Jobs;

namespace Distributed.Training.Native;

/// <summary>Keeps a second libtorch out of the process: two of them register the same operators, and libtorch ends the process.</summary>
internal static class SecondCopy
{
    private const string Maps = "/proc/self/maps";

    /// <param name="core">Real path of the core library that is about to be loaded.</param>
    /// <exception cref="JobException">Code <c>native</c>: both paths, and which one to do without.</exception>
    public static void Refuse(string core) =>
        Refuse(core, File.Exists(Maps) ? File.ReadLines(Maps) : [], ProbingFolders());

    /// <param name="maps">Lines as in <c>/proc/self/maps</c>.</param>
    /// <param name="probing">Folders in which the runtime looks for native libraries.</param>
    /// <inheritdoc cref="Refuse(string)"/>
    public static void Refuse(string core, IEnumerable<string> maps, IEnumerable<string> probing)
    {
        if (maps.Select(MappedFile).FirstOrDefault(file => file is not null && IsCore(file) && SharedLibrary.RealPath(file) != core)
            is { } mapped)
            throw new JobException(
                ErrorCodes.Native,
                $"This process has already loaded {mapped}, and loading {core} too would end it. Name the folder of the first in "
                + $"{LibtorchFolder.Variable}, or keep it from being loaded (LD_PRELOAD, another library).");
        if (probing.Select(folder => SharedLibrary.RealPath(Path.Combine(folder, LibtorchFolder.Core)))
            .FirstOrDefault(file => file is not null && file != core) is { } found)
            throw new JobException(
                ErrorCodes.Native,
                $"TorchSharp would load {found} in addition to {core}, and two of them end the process. "
                + "Move the first out of the program's folder, or build again.");
    }

    private static bool IsCore(string path) => Path.GetFileName(path).StartsWith(LibtorchFolder.Core, StringComparison.Ordinal);

    /// <summary>"7f..-7f.. r-xp 00000000 08:01 131 /usr/lib/x.so"; null for memory of no file.</summary>
    private static string? MappedFile(string line) => line.IndexOf('/', StringComparison.Ordinal) is > 0 and var at ? line[at..] : null;

    private static IEnumerable<string> ProbingFolders() =>
        ((AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string) ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries)
        .Append(AppContext.BaseDirectory)
        .Append(Path.GetDirectoryName(typeof(TorchSharp.torch).Assembly.Location) is { Length: > 0 } folder
            ? folder
            : AppContext.BaseDirectory);
}
