using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Distributed.Client.Silo;

/// <summary>How the processes of silos and benches are started.</summary>
internal static class SiloStartInfo
{
    public static ProcessStartInfo Create(string executable, IEnumerable<string> arguments)
    {
        ProcessStartInfo start = new(executable, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        SetUp(start);
        // A silo of a cluster compiles once and well; one that a client starts should be there soon. A method that was called 512 times
        // (the value is hexadecimal), as one of each step soon is, is compiled for good; doing that to all that a start calls takes longer
        // than a short job runs. A bench should measure code that is compiled for good. Code that counts calls for a profile would slow the
        // ranks down long after the start.
        start.Environment.TryAdd("DOTNET_TieredCompilation", "1");
        start.Environment.TryAdd("DOTNET_TC_CallCountThreshold", start.ArgumentList is ["serve" or "doctor", ..] ? "200" : "3");
        start.Environment.TryAdd("DOTNET_TieredPGO", "0");
        return start;
    }

    /// <summary>What every silo's environment has, no matter who starts it.</summary>
    public static void SetUp(ProcessStartInfo start)
    {
        // One arena keeps resident memory flat, and threads per rank are the job's own choice.
        start.Environment["MALLOC_ARENA_MAX"] = "1";
        start.Environment["DOTNET_gcServer"] = "0";
        start.Environment.Remove("OMP_NUM_THREADS");
        if (!start.Environment.ContainsKey("DOTNET_ROOT") && RuntimeRoot() is { } root) start.Environment["DOTNET_ROOT"] = root;
    }

    /// <summary>The .NET installation that runs the client, for machines where it stands at no default place.</summary>
    private static string? RuntimeRoot()
    {
        var root = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));
        return Directory.Exists(Path.Combine(root, "host", "fxr")) ? root : null;
    }
}
