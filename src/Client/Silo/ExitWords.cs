using Distributed.Core.Machine;

namespace Distributed.Client.Silo;

/// <summary>Words for a process's exit code.</summary>
internal static class ExitWords
{
    /// <param name="killsBefore">What <see cref="MemoryKills"/> counted when the process started; null: nobody looked.</param>
    public static string Describe(int exitCode, long? killsBefore = null) => exitCode switch
    {
        128 + 9 when killsBefore is { } before && MemoryKills.Count() > before => "signal SIGKILL, and the system ran out of memory "
            + "meanwhile: most likely the kernel killed it for that; a smaller microBatch or fewer ranks need less",
        128 + 2 => "signal SIGINT",
        128 + 4 => "signal SIGILL: this processor lacks an instruction that a native library uses",
        128 + 6 => "signal SIGABRT: a native library gave up",
        128 + 7 => "signal SIGBUS",
        128 + 8 => "signal SIGFPE",
        128 + 9 => "signal SIGKILL: killed by a user, or by the system when memory ran out",
        128 + 11 => "signal SIGSEGV: a native library crashed",
        128 + 15 => "signal SIGTERM",
        > 128 and < 193 => $"signal {exitCode - 128}",
        _ => $"exit code {exitCode}",
    };
}
