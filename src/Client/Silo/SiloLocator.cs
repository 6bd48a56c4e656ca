using System.Reflection;
using Distributed.Client.Outcomes;

namespace Distributed.Client.Silo;

/// <summary>Finds the silo executable: named by the user, published beside the client, or where the build put it.</summary>
internal static class SiloLocator
{
    public const string Variable = "DTRAIN_SILO";
    private const string FileName = "dtrain-silo";

    public static string Find() => Find(Environment.GetEnvironmentVariable(Variable), AppContext.BaseDirectory, BuiltPath());

    /// <exception cref="CommandFailure">No executable at any of the places.</exception>
    public static string Find(string? named, string clientDirectory, string? builtPath)
    {
        if (!string.IsNullOrEmpty(named))
        {
            if (File.Exists(named)) return Path.GetFullPath(named);
            throw new CommandFailure(ExitCode.Usage, $"{Variable} names '{named}', which {(Directory.Exists(named) ? "is a folder" : "does not exist")}. Set it to the {FileName} executable or unset it.");
        }
        var published = Path.Combine(clientDirectory, "silo", FileName);
        if (File.Exists(published)) return published;
        var built = builtPath is null ? null : Path.GetFullPath(Path.Combine(clientDirectory, builtPath));
        if (File.Exists(built)) return built;
        throw new CommandFailure(
            ExitCode.Failed,
            $"No {FileName} executable at '{published}'{(built is null ? "" : $" or '{built}'")}. Build the whole solution, or set {Variable} to the executable.");
    }

    private static string? BuiltPath() => typeof(SiloLocator).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .FirstOrDefault(metadata => metadata.Key == "SiloPath")?.Value;
}
