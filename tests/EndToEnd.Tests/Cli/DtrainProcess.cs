using System.Diagnostics;
using System.Text;

namespace Distributed.EndToEnd.Tests.Cli;

/// <summary>The command line while it runs. Whatever a test does, its end ends the process.</summary>
internal sealed class DtrainProcess : IAsyncDisposable
{
    /// <summary>Far longer than any command here takes; what outlives it hangs.</summary>
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(20);

    private readonly Process process;
    private readonly string command;
    private readonly CancellationTokenSource deadline = new(Deadline);
    private readonly StringBuilder output = new();
    private readonly StringBuilder talk = new();
    private readonly Task<string> error;

    private DtrainProcess(Process process, IReadOnlyList<string> arguments)
    {
        this.process = process;
        command = $"dtrain {string.Join(' ', arguments)}";
        error = ReadTalkAsync();
        process.StandardInput.Close();
    }

    public int Id => process.Id;

    /// <param name="directory">Working directory; null: the one for temporary files.</param>
    /// <param name="silo">Runs in place of the built silo; null: that one.</param>
    public static DtrainProcess Start(IReadOnlyList<string> arguments, string? directory = null, string? silo = null)
    {
        var start = BuiltProgram.Start(BuiltProgram.Dtrain, arguments, directory);
        if (silo is not null) start.Environment["DTRAIN_SILO"] = silo;
        return new(Process.Start(start)!, arguments);
    }

    public static Task<DtrainResult> RunAsync(params string[] arguments) => RunInAsync(null, arguments);

    public static async Task<DtrainResult> RunInAsync(string? directory, params string[] arguments)
    {
        await using var running = Start(arguments, directory);
        return await running.EndAsync();
    }

    /// <summary>Reads stdout up to the event of a step.</summary>
    public Task ReachStepAsync(long step) => ReachAsync(FormattableString.Invariant($"{{\"event\":\"step\",\"step\":{step},"));

    /// <summary>Reads stdout up to the first event: all silos run, and the ranks begin.</summary>
    public Task ReachStartAsync() => ReachAsync("{\"event\":\"started\",");

    /// <summary>Reads the first line of stdout.</summary>
    public Task ReachAnyLineAsync() => ReachAsync("");

    /// <summary>Reads stdout up to the failure.</summary>
    public Task ReachFailureAsync() => ReachAsync("{\"event\":\"failed\",");

    /// <summary>Waits for words on stderr.</summary>
    public async Task SaidAsync(string words)
    {
        while (!Talk.Contains(words, StringComparison.Ordinal))
        {
            if (error.IsCompleted && !Talk.Contains(words, StringComparison.Ordinal))
                Assert.Fail($"{command} did not say \"{words}\":\n{Talk}");
            await Task.Delay(ProcessTable.PollInterval, TimeProvider.System, deadline.Token);
        }
    }

    /// <summary>The silo's process as soon as there is one, long before it is ready.</summary>
    public async Task<int> StartedSiloAsync()
    {
        while (true)
        {
            if (ProcessTable.ChildrenOf(Id) is [var silo, ..]) return silo;
            await Task.Delay(ProcessTable.PollInterval, TimeProvider.System, deadline.Token);
        }
    }

    /// <summary>Waits for the end; stdout is what was read before and the rest.</summary>
    public async Task<DtrainResult> EndAsync()
    {
        while (await ReadLineAsync() is not null)
        {
        }
        try
        {
            await process.WaitForExitAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"{command} hangs: it closed its output but did not end within {Deadline.TotalSeconds} s.");
        }
        return new(command, process.ExitCode, output.ToString(), await error);
    }

    /// <summary>Ctrl-C as a terminal sends it: to the command and to its silo alike.</summary>
    public void Interrupt()
    {
        const int sigint = 2;
        foreach (var id in ProcessTable.ChildrenOf(Id).Append(Id)) ProcessTable.Signal(id, sigint);
    }

    /// <summary>A signal again and again until the command has ended, to its last moment.</summary>
    public async Task<DtrainResult> SignalToTheEndAsync(int signal)
    {
        var end = EndAsync();
        while (!process.HasExited && ProcessTable.TrySignal(Id, signal))
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, deadline.Token);
        return await end;
    }

    /// <summary>Reads no further, as <c>head</c> does once it has its lines, and waits for the end.</summary>
    public async Task<DtrainResult> LeaveAsync()
    {
        process.StandardOutput.Close();
        await process.WaitForExitAsync(deadline.Token);
        return new(command, process.ExitCode, output.ToString(), await error);
    }

    /// <summary>kill -9, of this process alone.</summary>
    public void Kill() => process.Kill();

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited) process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        process.Dispose();
        deadline.Dispose();
    }

    private string Talk
    {
        get
        {
            lock (talk) return talk.ToString();
        }
    }

    private async Task<string> ReadTalkAsync()
    {
        var buffer = new char[4096];
        while (await process.StandardError.ReadAsync(buffer) is > 0 and var count)
        {
            lock (talk) talk.Append(buffer, 0, count);
        }
        return Talk;
    }

    private async Task ReachAsync(string wanted)
    {
        while (await ReadLineAsync() is { } line)
        {
            if (line.StartsWith(wanted, StringComparison.Ordinal)) return;
        }
        Assert.Fail($"No event {wanted}...\n{await EndAsync()}");
    }

    private async Task<string?> ReadLineAsync()
    {
        try
        {
            var line = await process.StandardOutput.ReadLineAsync(deadline.Token);
            if (line is not null) output.Append(line).Append('\n');
            return line;
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"{command} did not end within {Deadline.TotalSeconds} s. It wrote:\n{output}\n{await error}");
            return null;
        }
    }
}
