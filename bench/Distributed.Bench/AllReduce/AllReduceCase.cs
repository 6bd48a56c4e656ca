
namespace Distributed.Bench.AllReduce;

/// <summary>Ranks, how they are dealt to silos, and how their gradients meet.</summary>
internal sealed record AllReduceCase(int Silos, int RanksPerSilo, AllReduceWay Way)
{
    public static IReadOnlyList<AllReduceCase> All { get; } =
    [
        new(1, 2, AllReduceWay.Memory),
        new(1, 4, AllReduceWay.Memory),
        new(2, 1, AllReduceWay.Peer),
        new(3, 1, AllReduceWay.Peer),
        new(4, 1, AllReduceWay.Peer),
        new(2, 2, AllReduceWay.Peer),
        new(2, 1, AllReduceWay.PeerOverTcp),
        new(3, 1, AllReduceWay.PeerOverTcp),
        new(4, 1, AllReduceWay.PeerOverTcp),
        new(2, 2, AllReduceWay.PeerOverTcp),
        new(2, 1, AllReduceWay.Coordinator),
    ];

    public int Ranks => Silos * RanksPerSilo;

    public string Name => Way == AllReduceWay.Memory
        ? $"{Silos} silo x {RanksPerSilo} ranks"
        : $"{Silos} silos x {RanksPerSilo} {(RanksPerSilo == 1 ? "rank" : "ranks")}, {WayName}";

    private string WayName => Way switch
    {
        AllReduceWay.Peer => "peer",
        AllReduceWay.PeerOverTcp => "peer over TCP",
        _ => "coordinator",
    };
}
