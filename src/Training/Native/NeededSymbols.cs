using System.Reflection;
using System.Runtime.InteropServices;

namespace Distributed.Training.Native;

/// <summary>What the bridge and this room take from libtorch, looked up before anything is called.</summary>
/// <remarks>The loader looks most of it up at the first call, and ends the process with exit code 127 when it is not there.</remarks>
internal static class NeededSymbols
{
    private const string UsedList = "dtrain-used-symbols.txt";
    private const string OwnLibrary = "torch_cpu";

    /// <summary>What training and its self-tests call through the bridge, of libtorch and the system.</summary>
    /// <remarks>Held by a test to what the loader binds in training runs.</remarks>
    public static IReadOnlySet<string> Used { get; } = ReadUsed();

    /// <param name="bridge">What the bridge imports.</param>
    /// <param name="libtorch">Handle of the library that depends on all others.</param>
    public static SymbolReport Look(IReadOnlyList<ElfImport> bridge, nint libtorch)
    {
        var absent = bridge.Where(import => !Exists(libtorch, import.Name)).ToList();
        var own = Own(OwnLibrary).ToList();
        var absentOwn = own.Where(import => !Exists(libtorch, import.Name)).ToList();
        return new SymbolReport(
            bridge.Count + own.Count,
            [.. absent.Where(IsRequired).Select(import => import.Name)
                .Concat(absentOwn.Where(import => !import.IsOptional).Select(import => import.Name)).Distinct()],
            [.. absent.Where(import => !IsRequired(import)),
                .. absentOwn.Where(import => import.IsOptional).Select(import => new ElfImport(import.Name, IsEager: false, Slot: 0))]);
    }

    /// <summary>
    /// Entry points that this room imports from a library itself. Training can do without gradient hooks and faster products.
    /// </summary>
    public static IEnumerable<(string Name, bool IsOptional)> Own(string library) =>
        from type in typeof(NeededSymbols).Assembly.GetTypes()
        where type.Namespace == typeof(NeededSymbols).Namespace
        from method in type.GetMethods(BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public | BindingFlags.DeclaredOnly)
        let import = method.GetCustomAttribute<DllImportAttribute>()
        where import?.Value == library
        select (import.EntryPoint!, type == typeof(GradientHook) || type == typeof(ProductCalls));

    private static bool IsRequired(ElfImport import) => import.IsEager || Used.Contains(import.Name);

    private static bool Exists(nint library, string name) => NativeLibrary.TryGetExport(library, name, out _);

    private static HashSet<string> ReadUsed()
    {
        using var list = typeof(NeededSymbols).Assembly.GetManifestResourceStream(UsedList)!;
        using StreamReader reader = new(list);
        return [.. reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)];
    }
}
