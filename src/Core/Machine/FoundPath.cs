using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Distributed.Core.Machine;

/// <summary>What a path led to at one moment, held by a descriptor: the path may lead elsewhere a moment later, this does not.</summary>
/// <remarks>.NET opens files only to read or write them, so libc is asked: open(2) with O_PATH waits for nobody and touches no device;
/// the layout of statx(2) is the same on all processors.</remarks>
internal sealed class FoundPath : IDisposable
{
    private const int PathOnly = 0x200000, CloseOnExec = 0x80000;
    private const int OfDescriptor = 0x1000;
    private const uint TypeOnly = 1;
    private const int NotPermitted = 1, NoEntry = 2, NoAccess = 13, NotAFolder = 20;
    private const int ResultBytes = 256, ModeOffset = 28;
    private const int TypeMask = 0xF000;

    private readonly SafeFileHandle handle;

    private FoundPath(SafeFileHandle handle)
    {
        this.handle = handle;
        Way = FormattableString.Invariant($"/proc/self/fd/{handle.DangerousGetHandle()}");
        var found = new byte[ResultBytes];
        Type = Statx((int)handle.DangerousGetHandle(), [0], OfDescriptor, TypeOnly, found) == 0
            ? (FileKinds)(MemoryMarshal.Read<ushort>(found.AsSpan(ModeOffset)) & TypeMask)
            : FileKinds.Unknown;
    }

    /// <summary>The types of inode that readers tell apart, as in st_mode.</summary>
    public enum FileKinds
    {
        /// <summary>The system did not say.</summary>
        Unknown = 0,

        /// <summary>A folder.</summary>
        Folder = 0x4000,

        /// <summary>A file of its own length.</summary>
        Regular = 0x8000,
    }

    /// <summary>Another type is a pipe, a socket or a device.</summary>
    public FileKinds Type { get; }

    /// <summary>A path that leads to the very same file or folder for as long as this object lives.</summary>
    public string Way { get; }

    /// <summary>Where it really is, with no link on the way; null when the system does not say.</summary>
    public string? Place => new FileInfo(Way).LinkTarget;

    /// <returns>Null: the path leads nowhere, or may not be followed.</returns>
    public static FoundPath? Find(string path) => Find(path, out _);

    /// <inheritdoc cref="Find(string)"/>
    public static FoundPath? Find(string path, out int error)
    {
        error = NoEntry;
        if (path.Contains('\0', StringComparison.Ordinal)) return null;
        var descriptor = Open(Encoding.UTF8.GetBytes(path + "\0"), PathOnly | CloseOnExec);
        error = Marshal.GetLastPInvokeError();
        return descriptor < 0 ? null : new FoundPath(new SafeFileHandle(descriptor, ownsHandle: true));
    }

    public void Dispose() => handle.Dispose();

    /// <summary>What keeps a path from being followed, in the system's words.</summary>
    /// <param name="error">errno of <see cref="Find(string, out int)"/>.</param>
    public static Exception Describe(string path, int error) => error switch
    {
        NoEntry when Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(path))) =>
            new FileNotFoundException($"Could not find file '{path}'.", path),
        NoEntry or NotAFolder => new DirectoryNotFoundException($"Could not find a part of the path '{path}'."),
        NotPermitted or NoAccess => new UnauthorizedAccessException($"Access to the path '{path}' is denied."),
        _ => new IOException($"{Marshal.GetPInvokeErrorMessage(error)} : '{path}'"),
    };

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    private static extern int Open(byte[] path, int flags);

    [DllImport("libc", EntryPoint = "statx")]
    private static extern int Statx(int directory, byte[] path, int flags, uint mask, byte[] result);
}
