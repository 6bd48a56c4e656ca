using System.Runtime.InteropServices;

namespace Distributed.Training.Exchange;

/// <summary>
/// The socket calls that .NET does not offer: gather and scatter on native memory without waiting, and waiting for several sockets at once.
/// </summary>
internal static unsafe partial class Posix
{
    public const int DontWait = 0x40;
    public const int NoSignal = 0x4000;
    public const short PollIn = 1;
    public const short PollOut = 4;
    public const int Interrupted = 4;
    public const int WouldBlock = 11;
    private const int SocketLevel = 1;
    private const int LowWater = 18;
    private const int EventNonBlocking = 0x800;
    private const int EventCloseOnExec = 0x80000;

    /// <summary>A counter that a poll can wait for.</summary>
    public static int CreateEvent() => EventFd(0, EventNonBlocking | EventCloseOnExec);

    public static void Signal(int fd)
    {
        ulong one = 1;
        _ = Write(fd, &one, sizeof(ulong));
    }

    public static void Consume(int fd)
    {
        ulong count;
        _ = Read(fd, &count, sizeof(ulong));
    }

    /// <summary>
    /// A poll for what comes in wakes at so many bytes, at the end of the connection, or when the kernel will hold no more.
    /// </summary>
    public static void WakeAt(int fd, int bytes) => _ = SetOption(fd, SocketLevel, LowWater, &bytes, sizeof(int));

    [LibraryImport("libc", EntryPoint = "sendmsg", SetLastError = true)]
    public static partial nint SendMessage(int fd, MessageHeader* message, int flags);

    [LibraryImport("libc", EntryPoint = "recvmsg", SetLastError = true)]
    public static partial nint ReceiveMessage(int fd, MessageHeader* message, int flags);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    public static partial int Poll(PollEntry* entries, nuint count, int timeoutMilliseconds);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    public static partial int Close(int fd);

    [LibraryImport("libc", EntryPoint = "setsockopt")]
    private static partial int SetOption(int fd, int level, int name, void* value, uint length);

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    private static partial int EventFd(uint initial, int flags);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint Write(int fd, void* data, nuint count);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial nint Read(int fd, void* data, nuint count);

    [StructLayout(LayoutKind.Sequential)]
    public struct Piece
    {
        public byte* Start;
        public nuint Length;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct MessageHeader
    {
        public void* Name;
        public uint NameLength;
        public Piece* Pieces;
        public nuint PieceCount;
        public void* Control;
        public nuint ControlLength;
        public int Flags;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct PollEntry
    {
        public int Fd;
        public short Wanted;
        public short Happened;
    }
}
