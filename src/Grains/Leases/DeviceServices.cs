using Distributed.Grains.Contracts;
using Orleans.Runtime;
using Orleans.Runtime.Services;

namespace Distributed.Grains.Leases;

internal sealed class DeviceServices(IServiceProvider services) : GrainServiceClient<IDeviceService>(services), IDeviceServices
{
    public IDeviceService On(SiloAddress silo) => GetGrainService(silo);
}
