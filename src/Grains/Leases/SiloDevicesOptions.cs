namespace Distributed.Grains.Leases;

/// <summary>What a silo offers to jobs.</summary>
public sealed record SiloDevicesOptions
{
    /// <summary>Ranks that run here without sharing a core.</summary>
    /// <value>The machine's logical cores.</value>
    public int CpuSlots { get; set; } = Environment.ProcessorCount;

    /// <summary>Device kind, libtorch and instruction set: what must be equal where ranks of one job run.</summary>
    public string Fingerprint { get; set; } = "";

    /// <summary>Bytes that ranks may use here.</summary>
    /// <value>0: not known.</value>
    public long Memory { get; set; }
}
