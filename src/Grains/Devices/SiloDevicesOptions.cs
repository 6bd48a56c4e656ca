namespace Distributed.Grains.Devices;

/// <summary>What a silo offers to jobs.</summary>
public sealed record SiloDevicesOptions
{
    /// <summary>Ranks that run here without sharing a core.</summary>
    /// <value>The machine's logical cores.</value>
    public int CpuSlots { get; set; } = Environment.ProcessorCount;
}
