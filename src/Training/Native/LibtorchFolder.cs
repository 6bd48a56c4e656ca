using Distributed.Core.Jobs;

namespace Distributed.Training.Native;

/// <summary>
/// The folder whose libtorch this process loads: the one beside the program, or the one that <c>DTRAIN_LIBTORCH</c> names.
/// </summary>
/// <param name="Path">Absolute path, with the links of folders followed.</param>
/// <param name="IsNamed">Whether the variable named it.</param>
/// <remarks>
/// It is never a place where the runtime looks by itself: TorchSharp would load what it finds there, and a second libtorch in one
/// process ends it ("multiple backend fallbacks").
/// </remarks>
internal sealed record LibtorchFolder(string Path, bool IsNamed)
{
    public const string Variable = "DTRAIN_LIBTORCH";

    /// <summary>The core library: what a second copy is told by.</summary>
    public const string Core = "libtorch_cpu.so";

    /// <summary>Where the build puts it, below the program's folder.</summary>
    private const string Beside = "libtorch";

    private const string Remedy =
        $"Set {Variable} to the folder that holds {Core}: 'torch/lib' of a torch installed by pip, or 'lib' of an unpacked libtorch";

    /// <summary>What every libtorch has.</summary>
    private static readonly string[] Required = ["libc10.so", Core, "libtorch.so"];

    /// <exception cref="JobException">Code <c>native</c>: which folder, what is missing there, and the remedy.</exception>
    public static LibtorchFolder Find() => Find(Environment.GetEnvironmentVariable(Variable), AppContext.BaseDirectory);

    /// <inheritdoc cref="Find()"/>
    public static LibtorchFolder Find(string? named, string programDirectory)
    {
        if (string.IsNullOrEmpty(named))
        {
            var beside = System.IO.Path.Combine(programDirectory, Beside);
            return Missing(beside) is { Count: 0 }
                ? new LibtorchFolder(SharedLibrary.RealPath(beside)!, IsNamed: false)
                : throw new JobException(
                    ErrorCodes.Native,
                    $"{beside} lacks {string.Join(", ", Missing(beside))}. Build or publish again: "
                    + $"after the NuGet package folder was cleared, links lead nowhere. {Remedy}.");
        }
        var folder = System.IO.Path.GetFullPath(named);
        if (!Directory.Exists(folder))
            throw new JobException(ErrorCodes.Native, $"{Variable} names '{named}', and there is no such folder. {Remedy}, or unset it.");
        foreach (var candidate in (string[])[folder, System.IO.Path.Combine(folder, "lib"), System.IO.Path.Combine(folder, "torch", "lib")])
            if (Missing(candidate) is { Count: 0 }) return new LibtorchFolder(SharedLibrary.RealPath(candidate)!, IsNamed: true);
        throw new JobException(
            ErrorCodes.Native, $"{Variable} names '{named}', which lacks {string.Join(", ", Missing(folder))}. {Remedy}, or unset it.");
    }

    /// <summary>A library of this folder by its real path: what it needs from beside it is looked for where it really lies.</summary>
    /// <returns>Null when it is not there.</returns>
    public string? Find(string name) => SharedLibrary.RealPath(System.IO.Path.Combine(Path, name));

    private static List<string> Missing(string folder) =>
        [.. Required.Where(name => SharedLibrary.RealPath(System.IO.Path.Combine(folder, name)) is null)];
}
