using System.Diagnostics;
using System.Globalization;
using Distributed.Bench.Memory;
using Distributed.Bench.Settings;
using Distributed.Core.Jobs;

namespace Distributed.Bench.Command;

/// <summary>Measures one number in a fresh process of this program.</summary>
internal static class BenchProcess
{
    /// <summary>The plain loop, with the C library's allocator as it comes.</summary>
    /// <returns>Seconds of a step.</returns>
    /// <exception cref="JobException">The process failed; its words are on stderr.</exception>
    public static Task<double> PlainStep(string model, string precision) => Run(
        [BenchOptions.PlainStepVerb, "--only", model, "--precision", precision],
        environment =>
        {
            environment["DTRAIN_MALLOC"] = "default";
            environment.Remove("MALLOC_ARENA_MAX");
        });

    /// <returns>Bytes at the peak.</returns>
    /// <exception cref="JobException">The process failed; its words are on stderr.</exception>
    public static async Task<long> Memory(MemoryRun run) => (long)await Run(
        [BenchOptions.MemoryVerb, "--only", run.Model, "--precision", run.Precision, "--ranks", Text(run.Ranks), "--micro-batches",
            Text(run.MicroBatches)],
        environment => environment["MALLOC_ARENA_MAX"] = "1");

    private static async Task<double> Run(IReadOnlyList<string> arguments, Action<IDictionary<string, string?>> set)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, [.. arguments, "--lifeline"])
        {
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
        };
        set(start.Environment);
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 && double.TryParse(output, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new JobException(ErrorCodes.Internal, $"The process of '{arguments[0]}' ended with code {process.ExitCode}.");
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
