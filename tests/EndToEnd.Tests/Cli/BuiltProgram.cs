using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;

namespace Distributed.EndToEnd.Tests.Cli;

/// <summary>Where the build put the programs, and how a user's shell would start them.</summary>
internal static class BuiltProgram
{
    public static string Dtrain { get; } = Find("DtrainPath");

    public static string Silo { get; } = Find("SiloPath");

    public static ProcessStartInfo Start(string program, IEnumerable<string> arguments, string? directory = null)
    {
        ProcessStartInfo start = new(program, arguments)
        {
            WorkingDirectory = directory ?? Path.GetTempPath(),
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("DTRAIN_", StringComparison.Ordinal)).ToList())
            start.Environment.Remove(name);
        // A silo of a cluster compiles for good at once, for the weeks that it runs; these run for seconds.
        start.Environment["DOTNET_TieredCompilation"] = "1";
        start.Environment["DOTNET_TieredPGO"] = "0";
        start.Environment["DOTNET_TC_CallCountThreshold"] = "200";
        // An SDK that stands at no default place is found by PATH only, which a program's own host does not look at.
        if (!start.Environment.ContainsKey("DOTNET_ROOT")) start.Environment["DOTNET_ROOT"] = RuntimeRoot();
        return start;
    }

    private static string RuntimeRoot() => Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));

    private static string Find(string key)
    {
        var relative = typeof(BuiltProgram).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
            .Single(metadata => metadata.Key == key).Value!;
        var path = Path.GetFullPath(relative, AppContext.BaseDirectory);
        return File.Exists(path) ? path : throw new FileNotFoundException($"{path} is missing: build the whole solution first.", path);
    }
}
