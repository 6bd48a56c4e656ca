using System.Runtime.InteropServices;

namespace Distributed.Training.Exchange;

/// <summary>Memory that two processes share, and how one hands it to the other.</summary>
internal static unsafe partial class Posix
{
    private const int CloseOnExec = 1;
    private const int AllowSealing = 2;
    private const int NeverExecutable = 8;
    private const int AddSeals = 1033;
    private const int GetSeals = 1034;
    private const int SealSeal = 1;
    private const int SealShrink = 2;
    private const int SealGrow = 4;
    private const int ProtectNone = 0;
    private const int ProtectReadWrite = 3;
    private const int MapShared = 1;
    private const int MapPrivate = 2;
    private const int MapFixed = 0x10;
    private const int MapAnonymous = 0x20;
    private const int Rights = 1;
    private const int CloseOnExecRights = 0x40000000;
    private const int SealsOfFixed = SealSeal | SealShrink | SealGrow;

    /// <summary>Memory without a name, all of it there, whose size nobody can change.</summary>
    /// <returns>A descriptor; -1: the system gives none.</returns>
    public static int CreateMemory(string name, nint bytes)
    {
        var fd = MemoryFile(name, CloseOnExec | AllowSealing | NeverExecutable);
        // Kernels before 6.3 do not know the last flag, and later ones may insist on it.
        if (fd < 0) fd = MemoryFile(name, CloseOnExec | AllowSealing);
        if (fd < 0) return -1;
        if (Allocate(fd, 0, 0, bytes) == 0 && Control(fd, AddSeals, SealsOfFixed) == 0) return fd;
        _ = Close(fd);
        return -1;
    }

    /// <summary>Whether a descriptor is such memory of so many bytes: nobody can take any of it away from under a reader.</summary>
    public static bool IsFixedMemory(int fd, nint bytes) =>
        (Control(fd, GetSeals, 0) & SealsOfFixed) == SealsOfFixed && Seek(fd, 0, 2) == bytes;

    /// <returns>Addresses that lead nowhere yet; 0: none are to be had.</returns>
    public static nint ReserveAddresses(nint bytes) => Mapped(Map(0, bytes, ProtectNone, MapPrivate | MapAnonymous, -1, 0));

    /// <summary>Has reserved addresses lead to a part of a memory.</summary>
    public static bool MapAt(nint address, nint bytes, int fd, nint offset) =>
        Map(address, bytes, ProtectReadWrite, MapShared | MapFixed, fd, offset) == address;

    public static void Unmap(nint address, nint bytes) => _ = UnmapAddresses(address, bytes);

    /// <summary>Sends a byte and, beside it, a descriptor.</summary>
    /// <param name="passed">-1: none.</param>
    public static bool SendDescriptor(int fd, int passed)
    {
        var data = (byte)(passed < 0 ? 0 : 1);
        Piece piece = new() { Start = &data, Length = 1 };
        PassedDescriptor beside = new() { Length = PassedDescriptor.Bytes, Level = SocketLevel, Type = Rights, Descriptor = passed };
        MessageHeader message = new() { Pieces = &piece, PieceCount = 1 };
        if (passed >= 0)
        {
            message.Control = &beside;
            message.ControlLength = (nuint)sizeof(PassedDescriptor);
        }
        return SendMessage(fd, &message, NoSignal) == 1;
    }

    /// <summary>Receives a byte and the descriptor beside it, if they are there.</summary>
    /// <returns>-1: there was none.</returns>
    public static int ReceiveDescriptor(int fd)
    {
        byte data;
        Piece piece = new() { Start = &data, Length = 1 };
        PassedDescriptor beside = default;
        MessageHeader message = new()
        {
            Pieces = &piece,
            PieceCount = 1,
            Control = &beside,
            ControlLength = (nuint)sizeof(PassedDescriptor),
        };
        var came = ReceiveMessage(fd, &message, DontWait | CloseOnExecRights) == 1
            && message.ControlLength >= PassedDescriptor.Bytes && beside.Level == SocketLevel && beside.Type == Rights;
        return came ? beside.Descriptor : -1;
    }

    private static nint Mapped(nint address) => address == -1 ? 0 : address;

    [LibraryImport("libc", EntryPoint = "memfd_create", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MemoryFile(string name, uint flags);

    [LibraryImport("libc", EntryPoint = "fallocate", SetLastError = true)]
    private static partial int Allocate(int fd, int mode, nint offset, nint bytes);

    [LibraryImport("libc", EntryPoint = "lseek", SetLastError = true)]
    private static partial nint Seek(int fd, nint offset, int whence);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int Control(int fd, int command, nint argument);

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint Map(nint address, nint bytes, int protection, int flags, int fd, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    private static partial int UnmapAddresses(nint address, nint bytes);

    /// <summary>A descriptor beside a message (<c>cmsghdr</c> and its data), with the room that the kernel wants.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct PassedDescriptor
    {
        public const int Bytes = 20;

        public nuint Length;
        public int Level;
        public int Type;
        public int Descriptor;
        public int Padding;
    }
}
