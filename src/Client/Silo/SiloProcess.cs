using System.ComponentModel;
using System.Diagnostics;
using Distributed.Client.Outcomes;
using Distributed.Core.Machine;

namespace Distributed.Client.Silo;

/// <summary>A silo that lives as long as this client: its stdin is its lifeline.</summary>
internal sealed class SiloProcess : IAsyncDisposable
{
    private static readonly TimeSpan LeaveDeadline = TimeSpan.FromSeconds(6);
    private readonly Process process;
    private readonly SiloLog log;
    private readonly TimeProvider time;
    private readonly Task logging;
    private readonly long? kills = MemoryKills.Count();

    private SiloProcess(Process process, SiloOrder order, SiloLog log, TimeProvider time)
    {
        this.process = process;
        Token = order.Token;
        Name = order.Silo;
        this.log = log;
        this.time = time;
        logging = log.CopyAsync(process.StandardError.BaseStream);
    }

    public SiloReply Reply { get; private set; } = new(false, null, null, null, null, null);

    public string Token { get; }

    /// <value>Null: the run's only one.</value>
    public string? Name { get; }

    public bool HasEnded => process.HasExited;

    private string Label => Name is null ? "" : $" {Name}";

    public Uri Address => new(Reply.Address!);

    /// <summary>Starts the executable and waits until it answers calls.</summary>
    /// <exception cref="CommandFailure">It could not start, refused, ended or kept silent past the deadline.</exception>
    public static async Task<SiloProcess> StartAsync(
        string executable, SiloOrder order, SiloLog log, TimeSpan deadline, TimeProvider time, CancellationToken cancel)
    {
        SiloProcess silo = new(StartProcess(executable, ["serve", "--lifeline"]), order, log, time);
        try
        {
            silo.Reply = await silo.GreetAsync(order, deadline, cancel);
            // Nothing more is expected there, but a full pipe would stall the silo.
            _ = silo.process.StandardOutput.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None);
            return silo;
        }
        catch
        {
            await silo.DisposeAsync();
            throw;
        }
    }

    public static Process StartProcess(string executable, IEnumerable<string> arguments)
    {
        try
        {
            return Process.Start(SiloStartInfo.Create(executable, arguments))!;
        }
        catch (Win32Exception refused)
        {
            throw new CommandFailure(
                ExitCode.Failed,
                $"The silo '{executable}' cannot be started: {refused.Message}. Check that it is an executable of this machine.");
        }
    }

    /// <summary>True once the process has ended, waiting at most <paramref name="patience"/> for it.</summary>
    public async Task<bool> HasEndedAsync(TimeSpan patience)
    {
        using CancellationTokenSource limit = new(patience, time);
        try
        {
            await process.WaitForExitAsync(limit.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            return process.HasExited;
        }
    }

    /// <summary>
    /// Most memory that the process has had so far, its libraries included. In bytes; null where the system does not say, as of a
    /// process that has ended.
    /// </summary>
    public long? PeakMemory => HasEnded ? null : ProcessMemory.Peak(process.Id);

    /// <summary>How the process ended; only after it has.</summary>
    public string DescribeEnd() => $"The silo process{Label} ended with {ExitWords.Describe(process.ExitCode, kills)}.";

    /// <summary>The end of the silo's log, for the user to read.</summary>
    public string LastWords() => log.Tail() is { Length: > 0 } tail ? $"Last lines of {log.Path}:\n{tail}" : "It wrote no log.";

    /// <summary>Completes when the process has ended.</summary>
    public Task EndedAsync(CancellationToken cancel) => process.WaitForExitAsync(cancel);

    public void Kill()
    {
        if (!process.HasExited) process.Kill(entireProcessTree: true);
    }

    public async ValueTask DisposeAsync()
    {
        CloseLifeline();
        // A frozen silo hears nothing of its lifeline, but it dies by a signal.
        if (!await HasEndedAsync(LeaveDeadline)) Kill();
        await HasEndedAsync(LeaveDeadline);
        // A grandchild could hold the pipe; the log is worth no endless wait.
        await Task.WhenAny(logging, Task.Delay(TimeSpan.FromSeconds(1), time));
        process.Dispose();
        log.Dispose();
    }

    private void CloseLifeline()
    {
        try
        {
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // The silo has gone already, which is what closing asks for.
        }
    }

    private async Task<SiloReply> GreetAsync(SiloOrder order, TimeSpan deadline, CancellationToken cancel)
    {
        using CancellationTokenSource late = new(deadline, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancel);
        string? line;
        try
        {
            await process.StandardInput.WriteLineAsync(SiloHandshake.Write(order).AsMemory(), either.Token);
            await process.StandardInput.FlushAsync(either.Token);
            line = await process.StandardOutput.ReadLineAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            throw new CommandFailure(
                ExitCode.Failed,
                $"The silo process{Label} ({process.Id}) did not report ready within {deadline.TotalSeconds:0} s. See {log.Path}; "
                + "'dtrain doctor' checks this machine.");
        }
        catch (IOException)
        {
            line = null;
        }
        if (line is null) throw new CommandFailure(ExitCode.Failed, await EndBeforeReadyAsync());
        return SiloHandshake.Read(line) switch
        {
            { Ready: true } reply => reply,
            { Error: { } error } =>
                throw new CommandFailure(ExitCode.Of(error.Code), $"The silo{Label} cannot start [{error.Code}]: {error.Message}"),
            _ => throw new CommandFailure(
                ExitCode.Failed,
                $"The first line of the silo{Label} is not a ready line: found '{line}'. Client and silo must be from one build."),
        };
    }

    private async Task<string> EndBeforeReadyAsync()
    {
        if (!await HasEndedAsync(LeaveDeadline))
            return $"The silo process{Label} ({process.Id}) closed its output before it was ready. See {log.Path}.";
        await Task.WhenAny(logging, Task.Delay(TimeSpan.FromSeconds(1), time));
        return $"{DescribeEnd()} {LastWords()}";
    }
}
