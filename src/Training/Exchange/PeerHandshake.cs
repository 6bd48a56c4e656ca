using System.Buffers.Binary;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Distributed.Core.Events;
using Distributed.Core.Jobs;

namespace Distributed.Training.Exchange;

/// <summary>How two silos prove to each other, over a fresh connection, that both hold the generation's secret and fit together.</summary>
/// <remarks>
/// Caller: hello {mark, version, places, job, generation, nonce, fingerprint}. Callee: {accepted, nonce, proof, words}. Caller: proof. A
/// proof is HMAC-SHA256 of the secret over the prover's role, the hello and the callee's nonce; frame keys are derived from the same, one a
/// direction. The secret itself never travels, and a recorded connection proves nothing to a callee with a new nonce.
/// </remarks>
internal static class PeerHandshake
{
    public const int LongestReason = 4096;

    /// <remarks>
    /// Long enough for a machine on which everything waits for a core; strangers who say nothing make room for silos meanwhile.
    /// </remarks>
    public static readonly TimeSpan LongestGreeting = TimeSpan.FromSeconds(20);

    private const uint Mark = 0x48585444; // "DTXH"
    private const ushort Version = 1;

    /// <summary>The two sides, as version 1 calls them in proofs and seals.</summary>
    private const string Caller = "caller", Listener = "door";

    private const int NonceBytes = 16;
    private const int ProofBytes = 32;
    private const int FixedBytes = 44;
    private const int LongestText = 4096;

    /// <summary>A job's number on the wire: the first 8 bytes of its id's SHA-256.</summary>
    public static ulong JobNumber(JobId jobId) =>
        BinaryPrimitives.ReadUInt64LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(jobId.ToString())));

    /// <summary>The caller's part; blocks.</summary>
    /// <exception cref="JobException">The other side refused or is not who it should be.</exception>
    /// <exception cref="IOException">The connection broke or stayed silent.</exception>
    public static (FrameSeal Out, FrameSeal In) Call(Socket socket, ExchangeSilos silos, int callee, ReadOnlySpan<byte> secret)
    {
        using var stream = Open(socket);
        var hello = Hello(silos, callee);
        stream.Write(hello);
        var head = Read(stream, 4 + NonceBytes + ProofBytes + 4);
        var nonce = head[4..(4 + NonceBytes)];
        var words = Encoding.UTF8.GetString(Read(stream, Length(head.AsSpan(4 + NonceBytes + ProofBytes))));
        if (head[0] != 1)
            throw new JobException(ErrorCodes.Divergence, $"Silo {silos.Names[callee]} refused silo {silos.Names[silos.Index]}: {words}");
        if (!CryptographicOperations.FixedTimeEquals(head.AsSpan(4 + NonceBytes, ProofBytes), Proof(secret, Listener, hello, nonce)))
            throw new JobException(
                ErrorCodes.Internal,
                $"The process at the address of silo {silos.Names[callee]} does not hold this generation's secret; "
                + "the connection was dropped.");
        stream.Write(Proof(secret, Caller, hello, nonce));
        return (Seal(secret, hello, nonce, Caller), Seal(secret, hello, nonce, Listener));
    }

    /// <summary>The callee's part; blocks, at most <see cref="LongestGreeting"/> a read; the listener bounds the whole.</summary>
    /// <returns>Who called, proven.</returns>
    /// <exception cref="RefusedException">Who called does not belong here; says what was found and expected.</exception>
    public static (int Silo, FrameSeal Out, FrameSeal In) Answer(Socket socket, ExchangeSilos silos, ReadOnlySpan<byte> secret)
    {
        using var stream = Open(socket);
        var head = Read(stream, FixedBytes);
        var mark = BinaryPrimitives.ReadUInt32LittleEndian(head);
        if (mark == FrameHeader.Mark)
            throw new RefusedException($"found an exchange frame of generation {BinaryPrimitives.ReadUInt32LittleEndian(head.AsSpan(16))} "
                + $"without a handshake, expected a handshake for generation {silos.Generation}");
        if (mark != Mark)
            throw new RefusedException($"found the first bytes {Convert.ToHexStringLower(head.AsSpan(0, 4))}, "
                + $"expected a handshake ({Convert.ToHexStringLower("DTXH"u8)})");
        var length = Length(head.AsSpan(24));
        var text = Read(stream, length);
        byte[] hello = [.. head, .. text];
        if (Mismatch(head, Encoding.UTF8.GetString(text), silos) is { } mismatch)
        {
            Reply(stream, false, new byte[NonceBytes], new byte[ProofBytes], mismatch);
            throw new RefusedException(mismatch);
        }
        var nonce = RandomNumberGenerator.GetBytes(NonceBytes);
        Reply(stream, true, nonce, Proof(secret, Listener, hello, nonce), "");
        if (!CryptographicOperations.FixedTimeEquals(Read(stream, ProofBytes), Proof(secret, Caller, hello, nonce)))
            throw new RefusedException("found a proof made with another secret, expected one made with this generation's");
        return (BinaryPrimitives.ReadUInt16LittleEndian(head.AsSpan(6)), Seal(secret, hello, nonce, Listener),
            Seal(secret, hello, nonce, Caller));
    }

    public static byte[] WriteReason(JobError error)
    {
        for (var length = error.Message.Length; ; length /= 2)
        {
            var bytes = JsonSerializer.SerializeToUtf8Bytes(error with { Message = error.Message[..length] });
            if (bytes.Length <= LongestReason) return bytes;
        }
    }

    public static JobError ReadReason(ReadOnlySpan<byte> bytes, string sender)
    {
        try
        {
            if (JsonSerializer.Deserialize<JobError>(bytes) is { Code: not null, Message: not null } error) return error;
        }
        catch (JsonException)
        {
        }
        return new JobError(
            ErrorCodes.Internal, $"Silo {sender} ended the exchange without a reason that can be read.", null, sender, "exchange", null);
    }

    private static string? Mismatch(ReadOnlySpan<byte> head, string fingerprint, ExchangeSilos silos)
    {
        var version = BinaryPrimitives.ReadUInt16LittleEndian(head[4..]);
        var (from, to) = (BinaryPrimitives.ReadUInt16LittleEndian(head[6..]), BinaryPrimitives.ReadUInt16LittleEndian(head[28..]));
        var generation = BinaryPrimitives.ReadUInt32LittleEndian(head[8..]);
        var job = BinaryPrimitives.ReadUInt64LittleEndian(head[12..]);
        if (version != Version) return $"found exchange version {version}, expected {Version}; update all silos to one build";
        if (job != JobNumber(silos.JobId)) return $"found job number {job:x16}, expected {JobNumber(silos.JobId):x16} ({silos.JobId})";
        if (generation != (uint)silos.Generation.Value) return $"found generation {generation}, expected {silos.Generation}";
        if (to != silos.Index || from <= silos.Index || from >= silos.Count)
            return $"found a call of silo {from} to silo {to}, expected one of a silo after {silos.Index} of "
                + $"{silos.Count} to silo {silos.Index}";
        return fingerprint == silos.Fingerprint
            ? null
            : $"found the fingerprint \"{fingerprint}\" of silo {silos.Names[from]}, expected \"{silos.Fingerprint}\" as of silo "
                + $"{silos.Names[silos.Index]}; give all silos of a job the same data, and run them on one build and kind of machine";
    }

    private static byte[] Hello(ExchangeSilos silos, int callee)
    {
        var text = Encoding.UTF8.GetBytes(silos.Fingerprint);
        if (text.Length > LongestText) throw new ArgumentException("The fingerprint is too long.", nameof(silos));
        var hello = new byte[FixedBytes + text.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(hello, Mark);
        BinaryPrimitives.WriteUInt16LittleEndian(hello.AsSpan(4), Version);
        BinaryPrimitives.WriteUInt16LittleEndian(hello.AsSpan(6), (ushort)silos.Index);
        BinaryPrimitives.WriteUInt32LittleEndian(hello.AsSpan(8), (uint)silos.Generation.Value);
        BinaryPrimitives.WriteUInt64LittleEndian(hello.AsSpan(12), JobNumber(silos.JobId));
        BinaryPrimitives.WriteInt32LittleEndian(hello.AsSpan(24), text.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(hello.AsSpan(28), (ushort)callee);
        RandomNumberGenerator.Fill(hello.AsSpan(30, 14));
        text.CopyTo(hello, FixedBytes);
        return hello;
    }

    private static void Reply(NetworkStream stream, bool accepted, byte[] nonce, byte[] proof, string words)
    {
        var text = Encoding.UTF8.GetBytes(words);
        if (text.Length > LongestText) text = text[..LongestText];
        var length = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, text.Length);
        stream.Write([(byte)(accepted ? 1 : 0), 0, 0, 0, .. nonce, .. proof, .. length, .. text]);
    }

    private static NetworkStream Open(Socket socket)
    {
        socket.ReceiveTimeout = socket.SendTimeout = (int)LongestGreeting.TotalMilliseconds;
        return new NetworkStream(socket, ownsSocket: false);
    }

    private static byte[] Read(NetworkStream stream, int count)
    {
        var bytes = new byte[count];
        stream.ReadExactly(bytes);
        return bytes;
    }

    private static int Length(ReadOnlySpan<byte> field)
    {
        var length = BinaryPrimitives.ReadInt32LittleEndian(field);
        return length is >= 0 and <= LongestText
            ? length
            : throw new RefusedException($"found a text of {(uint)length} bytes, expected at most {LongestText}");
    }

    private static byte[] Proof(ReadOnlySpan<byte> secret, string role, byte[] hello, byte[] nonce) =>
        HMACSHA256.HashData(secret, [.. Encoding.UTF8.GetBytes(role), .. hello, .. nonce]);

    private static FrameSeal Seal(ReadOnlySpan<byte> secret, byte[] hello, byte[] nonce, string sender)
    {
        Span<byte> key = stackalloc byte[16];
        HKDF.DeriveKey(
            HashAlgorithmName.SHA256, secret, key, SHA256.HashData([.. hello, .. nonce]),
            Encoding.UTF8.GetBytes($"dtrain exchange frames of the {sender}"));
        return new FrameSeal(key);
    }
}

/// <summary>A connection that does not belong to the exchange.</summary>
internal sealed class RefusedException(string message) : IOException(message);
