using System.Runtime.InteropServices;

namespace Distributed.Core.Machine;

/// <summary>Makes renames and new names in a directory survive a power cut; .NET opens no directories, so libc is asked.</summary>
internal static class DirectorySync
{
    private const int ReadOnly = 0;
    private const int NotSupportedHere = 22;

    /// <exception cref="IOException">The directory cannot be opened or synced.</exception>
    public static void Flush(string directory)
    {
        if (OperatingSystem.IsWindows()) return;
        var descriptor = Open(System.Text.Encoding.UTF8.GetBytes(directory + "\0"), ReadOnly);
        if (descriptor < 0) throw Failed("open", directory);
        try
        {
            // Some network and user-space file systems answer EINVAL: they have nothing to sync for a directory.
            if (Sync(descriptor) != 0 && Marshal.GetLastPInvokeError() != NotSupportedHere) throw Failed("fsync", directory);
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    private static IOException Failed(string call, string directory) =>
        new($"{call} of directory {directory}: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    private static extern int Open(byte[] path, int flags);

    [DllImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static extern int Sync(int descriptor);

    [DllImport("libc", EntryPoint = "close", SetLastError = true)]
    private static extern int Close(int descriptor);
}
