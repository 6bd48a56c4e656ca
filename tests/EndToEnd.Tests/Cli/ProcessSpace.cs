using System.ComponentModel;
using System.Diagnostics;

namespace Distributed.EndToEnd.Tests.Cli;

/// <summary>Programs as the first process that they see, as in a container: what the kernel does not let such a one do to itself.</summary>
internal static class ProcessSpace
{
    private static readonly string[] Own = ["--pid", "--mount-proc", "--fork", "--kill-child"];

    private static readonly Lazy<bool> Trial = new(() =>
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo("unshare", [.. Own, "true"]) { RedirectStandardError = true })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (Win32Exception)
        {
            return false;
        }
    });

    public static bool IsAllowed => Trial.Value;

    public static ProcessStartInfo Start(string program, params IEnumerable<string> arguments) =>
        BuiltProgram.Start("unshare", [.. Own, program, .. arguments]);
}

/// <summary>A test that needs a process space of its own; skipped, visibly, where that is not allowed.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ProcessSpaceFactAttribute : FactAttribute
{
    public ProcessSpaceFactAttribute()
    {
        if (!ProcessSpace.IsAllowed) Skip = "this user may not make a process space (unshare --pid)";
    }
}
