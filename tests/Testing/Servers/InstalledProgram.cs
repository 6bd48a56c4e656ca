using System.Diagnostics;

namespace Distributed.Testing.Servers;

/// <summary>A server that the machine has, or has not: then its tests are skipped, visibly.</summary>
internal static class InstalledProgram
{
    public static string? Redis { get; } = Find("redis-server", (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':'));

    /// <summary>Folder of initdb and postgres.</summary>
    public static string? Postgres { get; } = Path.GetDirectoryName(Find("initdb",
    [
        .. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':'),
        .. Directory.Exists("/usr/lib/postgresql")
            ? Directory.GetDirectories("/usr/lib/postgresql").Order(StringComparer.Ordinal).Reverse()
                .Select(version => Path.Combine(version, "bin"))
            : [],
    ]));

    public static string? WhyNoRedis => Redis is null ? "No redis-server on this machine: apt-get install redis-server." : null;

    public static string? WhyNoPostgres => Postgres is null ? "No PostgreSQL on this machine: apt-get install postgresql." : null;

    /// <summary>Runs a program to its end.</summary>
    public static async Task RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(
            new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEndAsync();
        await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}: {await error}");
    }

    private static string? Find(string name, IEnumerable<string> folders) =>
        folders.Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);
}

[AttributeUsage(AttributeTargets.Method)]
internal sealed class RedisFactAttribute : FactAttribute
{
    public RedisFactAttribute() => Skip = InstalledProgram.WhyNoRedis;
}

[AttributeUsage(AttributeTargets.Method)]
internal sealed class PostgresFactAttribute : FactAttribute
{
    public PostgresFactAttribute() => Skip = InstalledProgram.WhyNoPostgres;
}
