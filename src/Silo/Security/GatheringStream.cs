using System.Net.Sockets;

namespace Distributed.Silo.Security;

/// <summary>A socket under TLS, which deals in frames of 16 KiB: a frame costs no call into the kernel of its own.</summary>
/// <remarks>
/// What is written leaves when the buffer is full or at <see cref="Flush"/>; one thread reads, one writes. Without asynchronous calls: the
/// first of these would make every later blocking one a detour over another thread.
/// </remarks>
internal sealed class GatheringStream(Socket socket, int bufferBytes) : Stream
{
    private readonly byte[] output = GC.AllocateUninitializedArray<byte>(bufferBytes);
    private readonly byte[] input = GC.AllocateUninitializedArray<byte>(bufferBytes);
    private int outputEnd;
    private int inputStart;
    private int inputEnd;

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> buffer)
    {
        if (inputStart == inputEnd) (inputStart, inputEnd) = (0, Call(() => socket.Receive(input)));
        var count = Math.Min(buffer.Length, inputEnd - inputStart);
        input.AsSpan(inputStart, count).CopyTo(buffer);
        inputStart += count;
        return count;
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (buffer.Length > 0)
        {
            var count = Math.Min(buffer.Length, output.Length - outputEnd);
            buffer[..count].CopyTo(output.AsSpan(outputEnd));
            outputEnd += count;
            buffer = buffer[count..];
            if (outputEnd == output.Length) Flush();
        }
    }

    public override void Flush()
    {
        for (var sent = 0; sent < outputEnd;) sent += Call(() => socket.Send(output, sent, outputEnd - sent, SocketFlags.None));
        outputEnd = 0;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private static int Call(Func<int> call)
    {
        try
        {
            return call();
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            throw new IOException(e.Message, e);
        }
    }
}
