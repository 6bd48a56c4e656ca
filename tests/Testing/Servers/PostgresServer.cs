using System.Diagnostics;

namespace Distributed.Testing.Servers;

/// <summary>
/// A PostgreSQL of one test class's own, on loopback, with a password. It does not run as root, so root lends it to the user postgres.
/// </summary>
internal sealed class PostgresServer : IDisposable
{
    public const string Password = "postgres-secret-of-this-test";

    private readonly Process process;
    private readonly string directory;

    private PostgresServer(Process process, string directory, int port) =>
        (this.process, this.directory, Port) = (process, directory, port);

    public int Port { get; }

    public string Store => $"Host=127.0.0.1;Port={Port};Database=postgres;Username=postgres;Password={Password}";

    public static async Task<PostgresServer> StartAsync()
    {
        var bin = InstalledProgram.Postgres!;
        var directory = Directory.CreateTempSubdirectory("dtrain-postgres-").FullName;
        var password = Path.Combine(directory, "password");
        await File.WriteAllTextAsync(password, Password);
        if (Environment.IsPrivilegedProcess) await InstalledProgram.RunAsync("chown", "-R", "postgres", directory);
        var port = FreePort.Take();
        var data = Path.Combine(directory, "data");
        var make = AsPostgres([Path.Combine(bin, "initdb"), "-D", data, "-U", "postgres", "--auth=scram-sha-256", $"--pwfile={password}",
            "--no-sync", "--locale=C", "-E", "UTF8"]);
        await InstalledProgram.RunAsync(make[0], make[1..]);
        var serve = AsPostgres(
            [Path.Combine(bin, "postgres"), "-D", data, "-h", "127.0.0.1", "-p", $"{port}", "-k", directory, "-c", "fsync=off"]);
        var process = Process.Start(new ProcessStartInfo(serve[0], serve[1..]) { RedirectStandardError = true })!;
        // Nobody reads it: a full pipe would stop the server.
        _ = process.StandardError.ReadToEndAsync();
        await FreePort.AnswersAsync(port);
        return new PostgresServer(process, directory, port);
    }

    public void Dispose()
    {
        process.Kill(entireProcessTree: true);
        process.WaitForExit();
        process.Dispose();
        Directory.Delete(directory, recursive: true);
    }

    private static string[] AsPostgres(string[] command) =>
        Environment.IsPrivilegedProcess ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", .. command] : command;
}
