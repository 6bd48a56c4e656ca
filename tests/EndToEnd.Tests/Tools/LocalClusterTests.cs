using System.Diagnostics;
using System.Text.Json;
using Distributed.EndToEnd.Tests.Cli;
using Distributed.Testing;

namespace Distributed.EndToEnd.Tests.Tools;

/// <summary>A cluster on this machine as the README starts it, from a shell.</summary>
public sealed class LocalClusterTests : IAsyncLifetime, IDisposable
{
    /// <summary>Far longer than all commands of a shell here take together.</summary>
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(4);

    private readonly TemporaryDirectory state = new();

    public Task InitializeAsync() => Task.CompletedTask;

    /// <summary>Whatever the test came to, none of its silos is left.</summary>
    public async Task DisposeAsync()
    {
        foreach (var silo in Silos()) ProcessTable.TrySignal(silo, ProcessTable.SigKill);
        Assert.True(await ProcessTable.HaveEndedAsync(Silos(), Deadline));
    }

    public void Dispose() => state.Dispose();

    [Fact]
    public async Task TheReadMesCommands_RunAJobOnThreeSilos_WhichAreFoundAgainDrainedReplacedAndEnded()
    {
        var commands = ReadMeTests.CommandsOf("Three silos on this machine")[0].Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.True(commands.Length <= 4, $"{commands.Length} commands:\n{string.Join('\n', commands)}");
        // The job of the README, with fewer steps; the program of this build.
        var walk = string.Join('\n', commands).Replace("--id first", "--id first --set epochs=null --set steps=6", StringComparison.Ordinal)
            .Replace("$PWD/artifacts/bin/Client/release", Path.GetDirectoryName(BuiltProgram.Dtrain)!, StringComparison.Ordinal);
        var first = (await ShellAsync(
            $"set -eu\n{walk}\ndtrain status first --json\nprintf '%s %s' \"$DTRAIN_CLUSTER\" \"$DTRAIN_TOKEN_FILE\"")).Exits(0)
            .Says("A cluster of 3 silos with 1 slot each has started");
        var status = JsonDocument.Parse(first.Lines[^2]).RootElement;
        Assert.Equal(("completed", 6), (status.GetProperty("state").GetString(), status.GetProperty("step").GetInt32()));
        Assert.Contains("rank 2 on silo-2", (await DtrainAsync("logs", "first")).Exits(0).Output, StringComparison.Ordinal);
        Assert.Equal(3, Silos().Count);

        // A second terminal finds the same cluster.
        var again = (await ShellAsync("dtrain cluster up")).Exits(0).Says("runs already");
        Assert.Equal(
            $"export DTRAIN_CLUSTER='{first.Lines[^1].Split(' ')[0]}'\nexport DTRAIN_TOKEN_FILE='{first.Lines[^1].Split(' ')[1]}'\n",
            again.Output);

        Assert.Equal("draining", StateOf((await DtrainAsync("drain", "silo-2", "--json")).Exits(0), "silo-2"));
        Assert.Equal("free", StateOf((await DtrainAsync("drain", "silo-2", "--undo", "--json")).Exits(0), "silo-2"));

        // Any of them may be lost, the first as well, and is started again by its name.
        ProcessTable.Signal(Silos()[0], ProcessTable.SigKill);
        Assert.True(await ProcessTable.HaveEndedAsync([Silos()[0]], Deadline));
        var up = (await ShellAsync("dtrain cluster up --json")).Exits(0).Events[0];
        Assert.Equal((1, 3), (up.GetProperty("started").GetInt32(), up.GetProperty("silos").GetArrayLength()));
        Assert.Contains("first", (await DtrainAsync("list")).Exits(0).Output, StringComparison.Ordinal);

        var silos = Silos();
        var down = (await ShellAsync("dtrain cluster down --json")).Exits(0).Events[0];
        Assert.Equal(
            ["left", "left", "left"], down.GetProperty("silos").EnumerateArray().Select(silo => silo.GetProperty("end").GetString()!));
        Assert.True(await ProcessTable.HaveEndedAsync(silos, TimeSpan.Zero));
    }

    private static string? StateOf(DtrainResult cluster, string silo) =>
        cluster.Events[0].GetProperty("silos").EnumerateArray().Single(s => s.GetProperty("name").GetString() == silo).GetProperty("state")
            .GetString();

    /// <summary>Processes that were started as silos, by number of the silo.</summary>
    private List<int> Silos() =>
    [
        .. Directory.EnumerateFiles(state.Path, "silo-*.pid", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .Select(file => File.ReadAllLines(file)).Where(lines => lines.Length > 1)
            .Select(lines => int.Parse(lines[1].Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture)),
    ];

    /// <summary>A verb for the cluster of this test, from a shell that has just found it.</summary>
    private Task<DtrainResult> DtrainAsync(params string[] arguments) =>
        ShellAsync($"eval \"$(dtrain cluster up)\"\ndtrain {string.Join(' ', arguments)}");

    private async Task<DtrainResult> ShellAsync(string script)
    {
        var start = BuiltProgram.Start("bash", ["-c", script], Checkout.Root);
        start.Environment["XDG_STATE_HOME"] = state.Path;
        start.Environment["PATH"] = $"{Path.GetDirectoryName(BuiltProgram.Dtrain)}:{Environment.GetEnvironmentVariable("PATH")}";
        using var deadline = new CancellationTokenSource(Deadline);
        using var shell = Process.Start(start)!;
        shell.StandardInput.Close();
        try
        {
            var (output, error) = (shell.StandardOutput.ReadToEndAsync(deadline.Token), shell.StandardError.ReadToEndAsync(deadline.Token));
            await shell.WaitForExitAsync(deadline.Token);
            return new(script, shell.ExitCode, await output, await error);
        }
        finally
        {
            if (!shell.HasExited) shell.Kill(entireProcessTree: true);
        }
    }
}
