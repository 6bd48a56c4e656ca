using System.Runtime.InteropServices;

namespace Distributed.Silo.Folders;

/// <summary>
/// Whatever a silo of a cluster writes is for the account of the service alone: jobs of all users, their data's texts among
/// them, lie side by side.
/// </summary>
internal static class OwnFiles
{
    /// <summary>
    /// No right for the group and for others: files are 0600 and folders 0700, whatever else the process was started with.
    /// </summary>
    private const uint NothingForOthers = 0b000_111_111;

    public static void Ensure() => _ = SetMask(NothingForOthers);

    [DllImport("libc", EntryPoint = "umask"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern uint SetMask(uint mask);
}
