using Distributed.Grains.Placement;
using Orleans.Concurrency;

namespace Distributed.Grains.Devices;

/// <summary>The device slots of the silo whose address is the key; they go to one job at a time.</summary>
/// <remarks>The lease lives and dies with the silo. One job a silo: a fault in libtorch can end the process.</remarks>
public interface ISiloDevicesGrain : IGrainWithStringKey
{
    /// <returns>The silo, leased; null when another job holds it.</returns>
    [ResponseTimeout("00:00:05")]
    Task<LeasedSilo?> TryLease(string jobId);

    /// <summary>Gives the slots back; a job that does not hold them changes nothing.</summary>
    [ResponseTimeout("00:00:05")]
    Task Release(string jobId);

    /// <summary>The silo's name and slots, leased or not.</summary>
    Task<LeasedSilo> Describe();
}
