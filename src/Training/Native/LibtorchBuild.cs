using System.Runtime.InteropServices;
using System.Text.RegularExpressions;

namespace Distributed.Training.Native;

/// <summary>Which libtorch was really loaded, by its own account.</summary>
/// <param name="Version">Such as 2.10.0.</param>
/// <param name="Id">Tells builds of one version apart: the start of the core library's build id, or its length where it has none.</param>
/// <param name="Cuda">Version of the CUDA runtime; null without CUDA.</param>
/// <param name="CuDnn">Version of cuDNN; null without.</param>
internal sealed partial record LibtorchBuild(string Version, string Id, string? Cuda, string? CuDnn)
{
    /// <summary>The version that the bridge was compiled against.</summary>
    public const string Bridge = "2.10";

    private const string ShowConfig = "_ZN2at11show_configB5cxx11Ev";

    /// <summary>Another minor version may lay out its objects differently, or lack functions.</summary>
    public bool IsBridges => Version == Bridge || Version.StartsWith($"{Bridge}.", StringComparison.Ordinal);

    public override string ToString() => $"libtorch {Version} ({Id})";

    public static LibtorchBuild Read(nint library, ElfFile core, bool hasCuda)
    {
        var config = NativeLibrary.TryGetExport(library, ShowConfig, out var show) ? Text(show) : "";
        return Parse(config, core.BuildId is { Length: >= 8 } id ? id[..8] : $"{core.Length} bytes", hasCuda);
    }

    /// <param name="config">What <c>at::show_config()</c> says.</param>
    public static LibtorchBuild Parse(string config, string id, bool hasCuda) => new(
        VersionPattern().Match(config) is { Success: true } version ? version.Groups[1].Value : "of unknown version", id,
        hasCuda ? CudaPattern().Match(config) is { Success: true } cuda ? cuda.Groups[1].Value : "unknown" : null,
        hasCuda && CuDnnPattern().Match(config) is { Success: true } cuDnn ? cuDnn.Groups[1].Value : null);

    /// <summary>
    /// Calls a function that returns a std::string: its caller gives the place for it, whose first two words are address and length.
    /// </summary>
    private static unsafe string Text(nint function)
    {
        var place = stackalloc nint[4];
        ((delegate* unmanaged[Cdecl]<nint*, nint*>)function)(place);
        var text = Marshal.PtrToStringUTF8(place[0], (int)place[1]);
        // A short text lies in the place itself.
        if (place[0] != (nint)(place + 2)) NativeMemory.Free((void*)place[0]);
        return text;
    }

    [GeneratedRegex(@"\bTORCH_VERSION=([^\s,]+)")]
    private static partial Regex VersionPattern();

    [GeneratedRegex(@"CUDA Runtime ([0-9.]+)")]
    private static partial Regex CudaPattern();

    [GeneratedRegex(@"CuDNN ([0-9.]+)")]
    private static partial Regex CuDnnPattern();
}
