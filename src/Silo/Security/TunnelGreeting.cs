using System.Buffers.Binary;

namespace Distributed.Silo.Security;

/// <summary>The first bytes inside a tunnel: {mark, version, ticket} of who called, then one byte of who answers.</summary>
internal static class TunnelGreeting
{
    private const uint Mark = 0x54585444; // "DTXT"
    private const uint Version = 1;
    private const int Size = 16;

    /// <exception cref="IOException">The other side does not let this one through.</exception>
    public static void Ask(Stream stream, ulong ticket)
    {
        var hello = new byte[Size];
        BinaryPrimitives.WriteUInt32LittleEndian(hello, Mark);
        BinaryPrimitives.WriteUInt32LittleEndian(hello.AsSpan(4), Version);
        BinaryPrimitives.WriteUInt64LittleEndian(hello.AsSpan(8), ticket);
        var reply = new byte[1];
        try
        {
            stream.Write(hello);
            stream.Flush();
            stream.ReadExactly(reply);
        }
        catch (IOException e)
        {
            throw new IOException(
                "it ended the connection after the TLS handshake, perhaps because it refuses this silo's certificate; its log says why", e);
        }
        if (reply[0] != 1) throw new IOException("it knows no such listener any more; the generation may have ended there");
    }

    /// <returns>The ticket.</returns>
    /// <exception cref="IOException">No greeting.</exception>
    public static ulong Hear(Stream stream)
    {
        var hello = new byte[Size];
        stream.ReadExactly(hello);
        if (BinaryPrimitives.ReadUInt32LittleEndian(hello) != Mark) throw new IOException("its greeting is not that of a silo");
        var version = BinaryPrimitives.ReadUInt32LittleEndian(hello.AsSpan(4));
        return version == Version
            ? BinaryPrimitives.ReadUInt64LittleEndian(hello.AsSpan(8))
            : throw new IOException($"found tunnel version {version}, expected {Version}; update all silos to one build");
    }

    public static void Reply(Stream stream, bool known)
    {
        stream.Write([(byte)(known ? 1 : 0)]);
        stream.Flush();
    }
}
