using System.Diagnostics;
using System.Globalization;
using Distributed.Core;

namespace Distributed.Silo.Bench;

/// <summary>Runs the plain loop in a process of its own that leaves the C library's allocator as it is.</summary>
internal static class UntunedProcess
{
    /// <summary>The bench that prints one number and is not offered to users.</summary>
    public const string Verb = "plain-step";

    /// <returns>Seconds of a step.</returns>
    /// <exception cref="JobException">The process failed; its words are on stderr.</exception>
    public static async Task<double> PlainStep(string model, string precision)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, RedirectStandardInput = true };
        foreach (var argument in (string[])["bench", Verb, "--only", model, "--precision", precision, "--lifeline"]) start.ArgumentList.Add(argument);
        start.Environment["DTRAIN_MALLOC"] = "default";
        start.Environment.Remove("MALLOC_ARENA_MAX");
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 && double.TryParse(output, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds)
            ? seconds
            : throw new JobException(ErrorCodes.Internal, $"The plain loop's process ended with code {process.ExitCode}.");
    }
}
