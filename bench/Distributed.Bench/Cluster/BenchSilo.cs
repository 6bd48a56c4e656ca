using System.Diagnostics;
using System.Text.Json;
using Distributed.Core.Jobs;
using Distributed.Silo.Settings;

namespace Distributed.Bench.Cluster;

/// <summary>
/// A silo process that lives as long as this one: its stdin is its lifeline. The end of its log is kept in case it fails.
/// </summary>
internal sealed class BenchSilo : IAsyncDisposable
{
    private static readonly TimeSpan LongestStart = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan LongestFarewell = TimeSpan.FromSeconds(10);
    private const int TailLines = 15;
    private readonly Process process;
    private readonly string name;
    private readonly Queue<string> tail = [];

    private BenchSilo(Process process, string name)
    {
        (this.process, this.name) = (process, name);
        process.ErrorDataReceived += (_, line) => Remember(line.Data);
        process.BeginErrorReadLine();
    }

    public ReadyLine Ready { get; private set; } = null!;

    public string Name => name;

    public TimeSpan ProcessorTime
    {
        get
        {
            process.Refresh();
            return process.TotalProcessorTime;
        }
    }

    /// <value>What became of a silo that ended unasked; null while it lives.</value>
    public string? Lost => process.HasExited ? $"The bench's silo {name} ended with code {process.ExitCode}. {LastWords()}" : null;

    /// <summary>Starts the process and waits until it answers calls.</summary>
    /// <exception cref="JobException">It refused, ended or kept silent.</exception>
    public static async Task<BenchSilo> Start(LifelineSettings settings, CancellationToken cancel)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, ["serve", "--lifeline"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // As the command line starts its silos.
        start.Environment["MALLOC_ARENA_MAX"] = "1";
        start.Environment["DOTNET_gcServer"] = "0";
        start.Environment.Remove("OMP_NUM_THREADS");
        var silo = new BenchSilo(Process.Start(start)!, settings.Silo!);
        try
        {
            silo.Ready = await silo.Greet(settings, cancel);
            return silo;
        }
        catch
        {
            await silo.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It has gone already, which is what closing asks for.
        }
        using var late = new CancellationTokenSource(LongestFarewell, TimeProvider.System);
        try
        {
            await process.WaitForExitAsync(late.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
        }
        process.Dispose();
    }

    private void Remember(string? line)
    {
        if (line is null) return;
        lock (tail)
        {
            if (tail.Count == TailLines) tail.Dequeue();
            tail.Enqueue(line);
        }
    }

    private string LastWords()
    {
        lock (tail) return tail.Count == 0 ? "It logged nothing." : $"The end of its log:\n{string.Join('\n', tail)}";
    }

    private async Task<ReadyLine> Greet(LifelineSettings settings, CancellationToken cancel)
    {
        var line = JsonSerializer.Serialize(settings, ServeJson.Default.LifelineSettings);
        string? answer;
        try
        {
            await process.StandardInput.WriteLineAsync(line.AsMemory(), cancel);
            await process.StandardInput.FlushAsync(cancel);
            answer = await process.StandardOutput.ReadLineAsync(cancel).AsTask().WaitAsync(LongestStart, TimeProvider.System, cancel);
        }
        catch (Exception e) when (e is IOException or TimeoutException)
        {
            throw new JobException(
                ErrorCodes.SiloLost,
                $"The bench's silo {name} did not become ready ({e.Message}); 'dtrain doctor' checks this machine. {LastWords()}", e);
        }
        var ready = answer is null ? null : JsonSerializer.Deserialize(answer, ServeJson.Default.ReadyLine);
        return ready switch
        {
            { Ready: true } => ready,
            { Error: { } error } => throw new JobException(error.Code, $"The bench's silo {name} cannot start: {error.Message}"),
            _ => throw new JobException(
                ErrorCodes.SiloLost,
                $"The bench's silo {name} ended before it was ready; 'dtrain doctor' checks this machine. {LastWords()}"),
        };
    }
}
