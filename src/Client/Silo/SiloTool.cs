using Distributed.Client.Following;
using Distributed.Client.Outcomes;

namespace Distributed.Client.Silo;

/// <summary>Runs a program that measures or checks and then ends.</summary>
internal static class SiloTool
{
    private static readonly TimeSpan EndDeadline = TimeSpan.FromSeconds(10);

    /// <summary>Hands on each line of the tool's stdout as it comes; its stderr goes to <paramref name="error"/>.</summary>
    /// <returns>
    /// The tool's exit code, <see cref="ExitCode.Interrupted"/> after Ctrl-C or <see cref="ExitCode.ReaderGone"/>, which end the tool.
    /// </returns>
    public static async Task<int> RunAsync(
        string executable, IEnumerable<string> arguments, Action<string> onLine, TextWriter error, TimeProvider time)
    {
        using var interruption = Interruption.Listen(time);
        var cancel = interruption.Asked;
        using var process = SiloProcess.StartProcess(executable, [.. arguments, "--lifeline"]);
        var talking = CopyLinesAsync(process.StandardError, error.WriteLine, cancel);
        try
        {
            await CopyLinesAsync(process.StandardOutput, onLine, cancel);
            await process.WaitForExitAsync(cancel);
            await Task.WhenAny(talking, Task.Delay(EndDeadline, time, cancel));
            return process.ExitCode;
        }
        catch (OperationCanceledException)
        {
            return interruption.ReaderIsGone ? ExitCode.ReaderGone : ExitCode.Interrupted;
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
    }

    private static async Task CopyLinesAsync(StreamReader from, Action<string> to, CancellationToken cancel)
    {
        while (await from.ReadLineAsync(cancel) is { } line) to(line);
    }
}
