using Distributed.Grains.Placement;
using Microsoft.Extensions.Options;
using Orleans.Placement;
using Orleans.Runtime;

namespace Distributed.Grains.Devices;

[OnNamedSilo, Immovable, KeepAlive]
internal sealed class SiloDevicesGrain(ILocalSiloDetails local, IOptions<SiloDevicesOptions> options) : Grain, ISiloDevicesGrain
{
    private string? holder;

    public Task<LeasedSilo?> TryLease(string jobId)
    {
        holder ??= jobId;
        return Task.FromResult(holder == jobId ? Self() : null);
    }

    public Task Release(string jobId)
    {
        if (holder == jobId) holder = null;
        return Task.CompletedTask;
    }

    public Task<LeasedSilo> Describe() => Task.FromResult(Self());

    private LeasedSilo Self() => new(local.SiloAddress, local.Name, options.Value.CpuSlots);
}
