using System.Diagnostics;
using System.Text.Json;
using Distributed.Core.Users;
using Distributed.EndToEnd.Tests.Cli;
using Distributed.Testing;

namespace Distributed.EndToEnd.Tests.Tools;

/// <summary>A silo that serves a cluster's clients: told where its files lie by its environment, ended by SIGTERM.</summary>
public class ClusterSilo : IAsyncLifetime, IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(3);

    private readonly TemporaryDirectory directory = new();
    private Process? process;

    internal string Address { get; private set; } = "";

    internal string JobsRoot => directory.File("jobs");

    internal string TokenFile => directory.File("token");

    /// <summary>Users beside the admin of the token file: ann submits, eve looks on.</summary>
    internal string UsersFile => directory.File("users.json");

    internal static string TokenOf(string user) => $"the token of {user} for this test";

    internal Task<DtrainResult> RunAsAsync(string user, params string[] arguments) =>
        DtrainProcess.RunAsync([.. arguments, "--cluster", Address, "--token-file", directory.Write($"{user}.token", TokenOf(user))]);

    internal Task<DtrainResult> RunAsync(params string[] arguments) =>
        DtrainProcess.RunAsync([.. arguments, "--cluster", Address, "--token-file", TokenFile]);

    internal DtrainProcess Start(params string[] arguments) =>
        DtrainProcess.Start([.. arguments, "--cluster", Address, "--token-file", TokenFile]);

    public async Task InitializeAsync()
    {
        var start = BuiltProgram.Start(BuiltProgram.Silo, ["serve"]);
        start.RedirectStandardError = false;
        start.Environment["DTRAIN_TOKEN_FILE"] = directory.Write("token", "a token for this test alone");
        start.Environment["DTRAIN_USERS_FILE"] = directory.Write("users.json", Core.Users.UsersFile.Write(
        [
            new UserEntry("ann", UserRole.Submit, AccessToken.DigestHex(TokenOf("ann"))) { MaxPriority = 5 },
            new UserEntry("eve", UserRole.View, AccessToken.DigestHex(TokenOf("eve"))),
        ]));
        start.Environment["DTRAIN_JOBS_ROOT"] = Directory.CreateDirectory(directory.File("jobs")).FullName;
        start.Environment["DTRAIN_DATA_ROOT"] = Directory.CreateDirectory(directory.File("data")).FullName;
        start.Environment["DTRAIN_PORT"] = "0";
        await ConfigureAsync(directory, start.Environment);
        process = Process.Start(start)!;
        var ready = await process.StandardOutput.ReadLineAsync().WaitAsync(Deadline);
        Address = JsonDocument.Parse(ready!).RootElement.GetProperty("address").GetString()!;
    }

    /// <summary>Adds to the silo's environment.</summary>
    private protected virtual Task ConfigureAsync(TemporaryDirectory files, IDictionary<string, string?> environment) => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        process!.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
    }

    public void Dispose()
    {
        process?.Dispose();
        directory.Dispose();
        GC.SuppressFinalize(this);
    }
}
