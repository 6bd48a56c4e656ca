namespace Distributed.Training.Data;

/// <summary>One micro-batch in native memory, 64-byte aligned; borrowed from a <see cref="BatchPrefetcher"/> until returned.</summary>
internal sealed class HostBatch
{
    internal HostBatch(HostMemory inputs, HostMemory labels) => (InputMemory, LabelMemory) = (inputs, labels);

    public long Step { get; internal set; }

    /// <summary>Number within the step.</summary>
    public int MicroBatch { get; internal set; }

    /// <summary>Samples that count; what lies behind them in the buffers is left over.</summary>
    public int Items { get; internal set; }

    public nint Inputs => InputMemory.Address;

    public nint Labels => LabelMemory.Address;

    internal HostMemory InputMemory { get; }

    internal HostMemory LabelMemory { get; }
}
