using System.Diagnostics;
using System.Text.Json;
using Distributed.EndToEnd.Tests.Cli;

namespace Distributed.EndToEnd.Tests.Tools;

/// <summary>A silo that serves a cluster's clients: told where its files lie by its environment, ended by SIGTERM.</summary>
public class ClusterSilo : IAsyncLifetime, IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    private readonly TemporaryDirectory directory = new();
    private Process? process;

    internal string Address { get; private set; } = "";

    internal string TokenFile => directory.File("token");

    internal Task<DtrainResult> RunAsync(params string[] arguments) =>
        DtrainProcess.RunAsync([.. arguments, "--cluster", Address, "--token-file", TokenFile]);

    public async Task InitializeAsync()
    {
        var start = BuiltProgram.Start(BuiltProgram.Silo, ["serve"]);
        start.RedirectStandardError = false;
        start.Environment["DTRAIN_TOKEN_FILE"] = directory.Write("token", "a token for this test alone");
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
