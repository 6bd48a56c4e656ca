namespace Distributed.Training.Data;

/// <summary>Passes a stream on and remembers how many zero bytes it gave last: a tar archive ends with at least 1,024.</summary>
internal sealed class TailWatch(Stream inner) : Stream
{
    public long ZerosAtEnd { get; private set; }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> buffer)
    {
        var read = inner.Read(buffer);
        var last = buffer[..read].LastIndexOfAnyExcept((byte)0);
        ZerosAtEnd = last < 0 ? ZerosAtEnd + read : read - last - 1;
        return read;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
