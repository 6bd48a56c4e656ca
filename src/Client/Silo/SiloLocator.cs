using System.Reflection;
using Distributed.Client.Outcomes;

namespace Distributed.Client.Silo;

/// <summary>
/// Finds the programs that the client starts: named by the user, published in the folder <c>silo</c> next to the client, or
/// where the build put them.
/// </summary>
internal static class SiloLocator
{
    public const string Variable = "DTRAIN_SILO";
    public const string BenchVariable = "DTRAIN_BENCH";

    /// <exception cref="CommandFailure">No silo executable at any of the places.</exception>
    public static string Find() =>
        Find("dtrain-silo", Variable, AppContext.BaseDirectory, BuiltPath("SiloPath"), Environment.GetEnvironmentVariable);

    /// <summary>The program that measures.</summary>
    /// <exception cref="CommandFailure">It is at none of the places.</exception>
    public static string FindBench() =>
        Find("dtrain-bench", BenchVariable, AppContext.BaseDirectory, BuiltPath("BenchPath"), Environment.GetEnvironmentVariable);

    /// <exception cref="CommandFailure">No executable at any of the places.</exception>
    public static string Find(
        string fileName, string variable, string clientDirectory, string? builtPath, Func<string, string?> environment)
    {
        var named = environment(variable);
        if (!string.IsNullOrEmpty(named))
        {
            if (File.Exists(named)) return Path.GetFullPath(named);
            throw new CommandFailure(
                ExitCode.Usage,
                $"{variable} names '{named}', which {(Directory.Exists(named) ? "is a folder" : "does not exist")}. "
                + $"Set it to the {fileName} executable or unset it.");
        }
        var published = Path.Combine(clientDirectory, "silo", fileName);
        if (File.Exists(published)) return published;
        var built = builtPath is null ? null : Path.GetFullPath(Path.Combine(clientDirectory, builtPath));
        if (File.Exists(built)) return built;
        throw new CommandFailure(
            ExitCode.Failed,
            $"No {fileName} executable at '{published}'{(built is null ? "" : $" or '{built}'")}. "
            + $"Build the whole solution, or set {variable} to the executable.");
    }

    private static string? BuiltPath(string key) => typeof(SiloLocator).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .FirstOrDefault(metadata => metadata.Key == key)?.Value;
}
