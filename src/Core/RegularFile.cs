using System.Runtime.InteropServices;
using System.Text;

namespace Distributed.Core;

/// <summary>Refuses what has a file's name and no end of its own: opening a named pipe waits for a writer, a device may go on for ever.</summary>
/// <remarks>.NET tells files from folders and links only, so libc is asked (statx(2), whose layout is the same on all processors).</remarks>
public static class RegularFile
{
    private const int CurrentDirectory = -100;
    private const uint TypeOnly = 1;
    private const int ResultBytes = 256, ModeOffset = 28;
    private const int TypeMask = 0xF000;
    private const int Regular = 0x8000;

    /// <summary>Says nothing of what is not there: opening it says that better.</summary>
    /// <exception cref="IOException">The path leads to a folder, a pipe, a socket or a device.</exception>
    public static void Demand(string path)
    {
        if (Directory.Exists(path)) throw new IOException("it is a folder, expected a file");
        if (!OperatingSystem.IsLinux()) return;
        var found = new byte[ResultBytes];
        if (Statx(CurrentDirectory, Encoding.UTF8.GetBytes(path + "\0"), 0, TypeOnly, found) != 0) return;
        var mode = MemoryMarshal.Read<ushort>(found.AsSpan(ModeOffset));
        if ((mode & TypeMask) != Regular) throw new IOException("it is a pipe, a socket or a device, not a file");
    }

    [DllImport("libc", EntryPoint = "statx")]
    private static extern int Statx(int directory, byte[] path, int flags, uint mask, byte[] result);
}
