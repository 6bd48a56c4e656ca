using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json;

namespace Distributed.Bench.Baselines;

/// <summary>Programs that are no part of this project: looked for, run with a deadline, ended with the client.</summary>
/// <param name="cancel">The client has gone.</param>
internal sealed class ExternalProgram(CancellationToken cancel)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(10);

    /// <summary>A file next to this executable.</summary>
    public static string Baseline(string file) => Path.Combine(AppContext.BaseDirectory, "baselines", file);

    /// <returns>The program's path; null when it is not on the PATH.</returns>
    public static string? Find(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(':', StringSplitOptions.RemoveEmptyEntries).Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);

    /// <summary>Runs a program to its end and returns what it wrote to stdout.</summary>
    /// <exception cref="BaselineException">It does not start, fails or takes too long.</exception>
    public async Task<string> Run(string program, IEnumerable<string> arguments)
    {
        using var late = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        late.CancelAfter(Deadline);
        using var process = Start(program, arguments);
        process.StandardInput.Close();
        try
        {
            var error = process.StandardError.ReadToEndAsync(late.Token);
            var output = await process.StandardOutput.ReadToEndAsync(late.Token);
            var said = await error;
            await process.WaitForExitAsync(late.Token);
            return process.ExitCode == 0
                ? output
                : throw new BaselineException($"{Path.GetFileName(program)} ended with code {process.ExitCode}: {LastLine(said)}");
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            throw new BaselineException($"{Path.GetFileName(program)} did not end within {Deadline.TotalMinutes:0} minutes");
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
    }

    /// <summary>The lines of a baseline that are JSON objects, read as <typeparamref name="T"/>.</summary>
    /// <exception cref="BaselineException">There are none.</exception>
    public static IReadOnlyList<T> Lines<T>(string output)
    {
        var lines = output.Split('\n').Where(line => line.StartsWith('{')).ToList();
        try
        {
            return lines.Count > 0
                ? [.. lines.Select(line => JsonSerializer.Deserialize<T>(line, JsonSerializerOptions.Web)!)]
                : throw new BaselineException("it printed no result");
        }
        catch (JsonException e)
        {
            throw new BaselineException($"its result cannot be read: {e.Message}");
        }
    }

    private static Process Start(string program, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // Set for silos; a baseline runs with its own defaults.
        start.Environment.Remove("MALLOC_ARENA_MAX");
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new BaselineException($"{program} cannot be started: {e.Message}");
        }
    }

    private static string LastLine(string text) =>
        text.Split('\n').LastOrDefault(line => line.Trim().Length > 0)?.Trim() ?? "it said nothing";
}
