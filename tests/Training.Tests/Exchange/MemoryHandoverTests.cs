using System.Globalization;
using Distributed.Training.Exchange;
using static Distributed.Training.Exchange.Posix;

namespace Distributed.Training.Tests.Exchange;

/// <summary>Memory is handed over only as a whole, and nothing of it is left.</summary>
public sealed unsafe class MemoryHandoverTests
{
    [Fact]
    public void Take_NoMemoryIsOffered_BothStayWithTheSocket()
    {
        var (near, far) = StreamPair.Sockets();
        using (near)
        {
            Assert.True(SendDescriptor((int)near.Handle, -1));
            using var stream = MemoryHandover.Take(far);
            Assert.Equal("a Unix socket", Assert.IsType<SocketStream>(stream).Kind);
            var answer = new byte[1];
            Assert.Equal(1, near.Receive(answer));
            Assert.Equal(0, answer[0]);
        }
    }

    /// <summary>Memory of another size, or that its maker could shrink under a reader.</summary>
    [Theory]
    [InlineData(4096)]
    [InlineData(0)]
    public void Take_NotSuchMemory_IsNotMapped(int bytes)
    {
        var (near, far) = StreamPair.Sockets();
        using (near)
        {
            var fd = bytes > 0 ? CreateMemory("dtrain-test", bytes) : CreateEvent();
            Assert.True(SendDescriptor((int)near.Handle, fd));
            _ = Close(fd);
            using var stream = MemoryHandover.Take(far);
            Assert.IsType<SocketStream>(stream);
        }
    }

    [Fact]
    public void Give_CallerCannotMapIt_BothStayWithTheSocket()
    {
        var (near, far) = StreamPair.Sockets();
        using (far)
        {
            far.Send(new byte[1]);
            using var stream = MemoryHandover.Give(near);
            Assert.IsType<SocketStream>(stream);
            Assert.True(far.Poll(TimeSpan.FromMinutes(5), System.Net.Sockets.SelectMode.SelectRead));
            var memory = ReceiveDescriptor((int)far.Handle);
            Assert.True(memory > 0);
            _ = Close(memory);
        }
    }

    [Fact]
    public void Give_CallerIsGone_Throws()
    {
        var (near, far) = StreamPair.Sockets();
        far.Dispose();
        using (near) Assert.ThrowsAny<Exception>(() => MemoryHandover.Give(near));
    }

    [Fact]
    public void Take_OtherSideIsGone_StaysWithTheSocketOrThrows()
    {
        var (near, far) = StreamPair.Sockets();
        near.Dispose();
        using (far)
        {
            var error = Record.Exception(() => MemoryHandover.Take(far));
            Assert.True(error is null or IOException or System.Net.Sockets.SocketException, $"{error}");
        }
    }

    [Fact]
    public void Dispose_BothEnds_LeavesNeitherNameNorMemory()
    {
        string memory;
        using (var rings = SharedRings.Create(out var fd)!)
        {
            memory = MapOf((nint)rings.Bytes(0))!;
            Assert.Contains("/memfd:dtrain-exchange (deleted)", memory, StringComparison.Ordinal);
            using var other = SharedRings.Map(fd)!;
            Assert.Equal(Inode(memory), Inode(MapOf((nint)other.Bytes(1))!));
            *rings.Bytes(1) = 7;
            Assert.Equal(7, *other.Bytes(1));
            // Each ring follows itself.
            Assert.Equal(7, other.Bytes(1)[SharedRings.RingBytes]);
            _ = Close(fd);
        }
        Assert.DoesNotContain(File.ReadLines("/proc/self/maps"), line => Inode(line) == Inode(memory)
            && line.Contains("dtrain-exchange", StringComparison.Ordinal));
    }

    [Fact]
    public void IsFixedMemory_MadeHere_CannotBeResized()
    {
        var fd = CreateMemory("dtrain-test", 8192);
        Assert.True(IsFixedMemory(fd, 8192));
        Assert.False(IsFixedMemory(fd, 4096));
        using (var file = new FileStream(new Microsoft.Win32.SafeHandles.SafeFileHandle(fd, ownsHandle: true), FileAccess.ReadWrite))
            Assert.ThrowsAny<Exception>(() => file.SetLength(4096));
    }

    /// <returns>The line of the process's memory map that an address belongs to.</returns>
    private static string? MapOf(nint address) => File.ReadLines("/proc/self/maps").FirstOrDefault(line =>
    {
        var range = line[..line.IndexOf(' ', StringComparison.Ordinal)].Split('-');
        return Hex(range[0]) <= address && address < Hex(range[1]);
    });

    private static string Inode(string line) => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[4];

    private static nint Hex(string text) => nint.Parse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}
