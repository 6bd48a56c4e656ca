using Distributed.Training.Native;

namespace Distributed.Training.Data;

/// <summary>Passes a tar archive on and checks its blocks on the way.</summary>
internal sealed class TarWatch(Stream inner) : ReadOnlyStream
{
    public TarBlocks Blocks { get; } = new();

    public override int Read(Span<byte> buffer)
    {
        AbortSignal.ThrowIfRaised();
        var read = inner.Read(buffer);
        Blocks.Pass(buffer[..read]);
        return read;
    }
}
