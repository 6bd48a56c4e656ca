using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Distributed.EndToEnd.Tests.Cli;

namespace Distributed.EndToEnd.Tests.Cluster;

/// <summary>One silo of a cluster, told by its environment what to join.</summary>
internal sealed class SiloProcess : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(3);

    private readonly Process process;
    private readonly StringBuilder error = new();

    private SiloProcess(Process process) => this.process = process;

    public int Id => process.Id;

    /// <summary>Of its endpoint.</summary>
    public string Address { get; private set; } = "";

    /// <summary>Where others join it.</summary>
    public string Endpoint { get; private set; } = "";

    /// <summary>Starts a silo and waits for its ready line.</summary>
    public static Task<SiloProcess> StartAsync(
        ClusterFolder folder, string name, params IEnumerable<(string Name, string Value)> settings) =>
        ReadyAsync(Begin(folder, name, settings), name);

    /// <summary>Starts a silo and waits for nothing.</summary>
    public static SiloProcess Begin(ClusterFolder folder, string name, params IEnumerable<(string Name, string Value)> settings) =>
        Launch(BuiltProgram.Start(BuiltProgram.Silo, ["serve"]), folder, name, settings);

    /// <summary>
    /// The same as <see cref="StartAsync"/>, as the first process of a process space of its own; <see cref="Id"/> is that
    /// of its parent outside.
    /// </summary>
    public static Task<SiloProcess> StartFirstAsync(
        ClusterFolder folder, string name, params IEnumerable<(string Name, string Value)> settings) =>
        ReadyAsync(Launch(ProcessSpace.Start(BuiltProgram.Silo, "serve"), folder, name, settings), name);

    private static async Task<SiloProcess> ReadyAsync(SiloProcess silo, string name)
    {
        try
        {
            var line = await silo.process.StandardOutput.ReadLineAsync().WaitAsync(Deadline);
            Assert.True(line is not null, $"Silo {name} ended before it was ready:\n{silo.error}");
            var ready = JsonDocument.Parse(line!).RootElement;
            (silo.Address, silo.Endpoint) = (ready.GetProperty("address").GetString()!, ready.GetProperty("endpoint").GetString()!);
            return silo;
        }
        catch
        {
            silo.Dispose();
            throw;
        }
    }

    /// <summary>Starts a silo that cannot run, to its end.</summary>
    public static async Task<(int Code, string Error)> FailAsync(
        ClusterFolder folder, string name, params IEnumerable<(string Name, string Value)> settings)
    {
        using var silo = Begin(folder, name, settings);
        await silo.process.WaitForExitAsync().WaitAsync(Deadline);
        return (silo.process.ExitCode, silo.error.ToString());
    }

    public Task<DtrainResult> RunAsync(ClusterFolder folder, params string[] arguments) =>
        DtrainProcess.RunAsync([.. arguments, "--cluster", Address, "--token-file", folder.TokenFile]);

    /// <summary>What it has written to stderr.</summary>
    public string Said => error.ToString();

    /// <summary>SIGTERM, and an end in order.</summary>
    public async Task LeaveAsync()
    {
        const int sigterm = 15;
        ProcessTable.Signal(Id, sigterm);
        await process.WaitForExitAsync().WaitAsync(Deadline);
        Assert.True(process.ExitCode == 0, $"Told to leave, the silo ended with code {process.ExitCode}:\n{error}");
    }

    /// <summary>Waits for the end that something else brings about.</summary>
    public async Task HasEndedAsync(TimeSpan? patience = null)
    {
        var within = patience ?? Deadline;
        await Task.WhenAny(process.WaitForExitAsync(), Task.Delay(within, TimeProvider.System));
        Assert.True(process.HasExited, $"The silo has not ended within {within.TotalSeconds} s:\n{error}");
    }

    /// <summary>kill -9.</summary>
    public void Kill()
    {
        process.Kill();
        process.WaitForExit();
    }

    public void Dispose()
    {
        if (!process.HasExited) Kill();
        process.Dispose();
    }

    private static SiloProcess Launch(
        ProcessStartInfo start, ClusterFolder folder, string name, IEnumerable<(string Name, string Value)> settings)
    {
        (string Name, string Value)[] common =
        [
            ("DTRAIN_TOKEN_FILE", folder.TokenFile), ("DTRAIN_JOBS_ROOT", folder.JobsRoot), ("DTRAIN_DATA_ROOT", folder.DataRoot),
            ("DTRAIN_PORT", "0"), ("DTRAIN_SILO_NAME", name), ("DTRAIN_SLOTS", "2"),
        ];
        foreach (var (key, value) in common.Concat(settings)) start.Environment[key] = value;
        var silo = new SiloProcess(Process.Start(start)!);
        silo.process.ErrorDataReceived += (_, line) => silo.error.AppendLine(line.Data);
        silo.process.BeginErrorReadLine();
        return silo;
    }
}
