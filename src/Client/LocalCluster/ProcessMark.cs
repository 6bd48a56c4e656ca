using System.Globalization;
using System.Runtime.InteropServices;

namespace Distributed.Client.LocalCluster;

/// <summary>One process and no later one of its number: the kernel's boot, the process id and when it was started.</summary>
/// <param name="Boot">Id of the boot.</param>
/// <param name="Started">Clock ticks since the boot.</param>
internal sealed record ProcessMark(string Boot, int Id, long Started)
{
    private const string BootFile = "/proc/sys/kernel/random/boot_id";
    private const int Terminate = 15;
    private const int Kill = 9;
    private const int Continue = 18;

    /// <summary>Id of the boot that this process runs in.</summary>
    public static string CurrentBoot => File.ReadAllText(BootFile).Trim();

    /// <summary>It runs, and is no zombie that nobody collected.</summary>
    public bool IsAlive => Current(Id) is { } now && now.Mark == this && now.State is not ('Z' or 'X');

    /// <param name="text">The boot's id and the process's line of <c>/proc/ID/stat</c>, a line each.</param>
    /// <returns>Null when the text is neither.</returns>
    public static ProcessMark? Parse(string text) => ParseBoth(text)?.Mark;

    /// <summary>Asks it to leave; one that has ended hears nothing, even if another process has its number now.</summary>
    /// <remarks>One that was frozen goes on, for only then it hears.</remarks>
    public void AskToLeave()
    {
        Send(Terminate);
        Send(Continue);
    }

    public void End() => Send(Kill);

    private static (ProcessMark Mark, char State)? Current(int id)
    {
        try
        {
            return ParseBoth(CurrentBoot + "\n" + File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{id}/stat")));
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static (ProcessMark Mark, char State)? ParseBoth(string text)
    {
        // "pid (name) state ...": the name may hold anything, the start is the 22nd field.
        if (text.Split('\n', 2) is not [var boot, var stat] || stat.LastIndexOf(')') is not (> 0 and var end)) return null;
        var rest = stat[(end + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return rest.Length > 19
            && int.TryParse(stat.Split(' ', 2)[0], NumberStyles.None, CultureInfo.InvariantCulture, out var id)
            && long.TryParse(rest[19], NumberStyles.None, CultureInfo.InvariantCulture, out var started)
            ? (new ProcessMark(boot.Trim(), id, started), rest[0][0])
            : null;
    }

    private void Send(int signal)
    {
        if (IsAlive) _ = SendSignal(Id, signal);
    }

    [DllImport("libc", EntryPoint = "kill"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SendSignal(int process, int signal);
}
