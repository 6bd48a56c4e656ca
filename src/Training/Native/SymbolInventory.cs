using Distributed.Core.Jobs;

namespace Distributed.Training.Native;

/// <summary>
/// What the program needs of one libtorch and does not find there, looked up without calling anything of it but for its version.
/// </summary>
/// <param name="Libtorch">Version and build.</param>
/// <param name="Place">Where it lies.</param>
/// <param name="Needed">How many symbols were looked up.</param>
/// <param name="Missing">Those without which training cannot run.</param>
/// <param name="Unused">Absent ones that training can do without.</param>
public sealed record SymbolInventory(string Libtorch, string Place, int Needed, IReadOnlyList<string> Missing, IReadOnlyList<string> Unused)
{
    /// <exception cref="JobException">Code <c>native</c>: a file is missing, damaged or does not load.</exception>
    public static SymbolInventory Take()
    {
        var bridge = TorchSharpBridge.Find();
        var libtorch = Native.Libtorch.Load(LibtorchFolder.Find());
        var report = NeededSymbols.Look(bridge.Imports, libtorch.Handle);
        return new SymbolInventory(
            libtorch.Build.ToString(), libtorch.Place, report.Needed,
            [.. report.Missing.Select(SymbolName.Readable)], [.. report.Unused.Select(import => SymbolName.Readable(import.Name))]);
    }
}
