namespace Distributed.Grains.Devices;

/// <summary>Whether this silo is about to leave: it then takes no more ranks and no more jobs.</summary>
public sealed class SiloDrain
{
    private int begun;

    public bool IsDraining => Volatile.Read(ref begun) != 0;

    public void Begin() => Volatile.Write(ref begun, 1);
}
