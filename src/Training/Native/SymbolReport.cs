namespace Distributed.Training.Native;

/// <summary>Which of the needed symbols are there.</summary>
/// <param name="Needed">How many were looked up.</param>
/// <param name="Missing">Those without which training cannot run.</param>
/// <param name="Unused">Absent ones that training can do without.</param>
internal sealed record SymbolReport(int Needed, IReadOnlyList<string> Missing, IReadOnlyList<ElfImport> Unused)
{
    /// <summary>Names shown at most: one of another version lacks hundreds.</summary>
    private const int Shown = 8;

    public NativeCheck Check(LibtorchBuild build)
    {
        const string name = "symbols";
        var remedy = build.IsBridges
            ? $"This is not a stock libtorch {build.Version}: copy or install it again, or name another in {LibtorchFolder.Variable}."
            : $"TorchSharp's bridge is made for libtorch {LibtorchBuild.Bridge}, and this is {build.Version}: "
                + $"name one of that version in {LibtorchFolder.Variable}, or unset it.";
        if (Missing.Count > 0)
            return new NativeCheck(name, false, $"{Missing.Count} of {Needed} needed functions are missing: {List(Missing)}", remedy);
        return Unused.Count == 0
            ? new NativeCheck(name, true, $"all {Needed} found", null)
            : new NativeCheck(
                name, true,
                $"{Unused.Count} of {Needed} are missing, which training can do without: {List([.. Unused.Select(import => import.Name)])}",
                $"A model that calls one of them fails with an error that names it. {remedy}");
    }

    private static string List(IReadOnlyList<string> names) =>
        string.Join("; ", names.Take(Shown).Select(SymbolName.Readable))
        + (names.Count > Shown ? $"; and {names.Count - Shown} more ('dtrain-silo symbols' lists all)" : "");
}
