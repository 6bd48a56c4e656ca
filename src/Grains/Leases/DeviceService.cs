using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Grains.Contracts;
using Distributed.Grains.Placement;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Concurrency;
using Orleans.Runtime;

namespace Distributed.Grains.Leases;

/// <remarks>Calls come in turns; none that changes something awaits, so that none finds another's half done.</remarks>
[Reentrant]
internal sealed class DeviceService(
    GrainId id, Silo silo, ILoggerFactory loggers, ILocalSiloDetails local, IRankHost ranks, SiloDrain drain, TimeProvider time,
    IOptions<SiloDevicesOptions> options)
    : GrainService(id, silo, loggers), IDeviceService
{
    private (JobId JobId, Generation Generation)? holder;
    private bool released;

    public Task<LeasedSilo?> TryLease(JobId jobId, Generation generation)
    {
        if (holder is { } held && held != (jobId, generation))
        {
            if (held.JobId == jobId && held.Generation < generation) End(held);
            Settle();
        }

        if (holder is null && !drain.IsDraining && !ranks.IsBusy) holder = (jobId, generation);
        return Task.FromResult(holder == (jobId, generation) && !drain.IsDraining ? Self() : null);
    }

    public Task Release(JobId jobId, Generation generation)
    {
        if (holder is { } held && held.JobId == jobId && held.Generation <= generation) End(held);
        return Task.CompletedTask;
    }

    public Task<bool> Drain(bool drained) => Task.FromResult(drain.Ask(drained));

    public Task<SiloDevices> Describe()
    {
        Settle();
        return Task.FromResult(new SiloDevices(Self(), holder?.JobId, holder?.Generation ?? Generation.None, drain.IsDraining));
    }

    public Task<DateTimeOffset> Clock() => Task.FromResult(time.GetUtcNow());

    public Task<SiloInputs> Lacks(JobId jobId, string specJson) => LookForInputs(jobId, specJson);

    /// <summary>Off the turn: a mount that hangs would hold up all else that is asked of this silo.</summary>
    private async Task<SiloInputs> LookForInputs(JobId jobId, string specJson) =>
        new(await Task.Run(() => ranks.Lacks(jobId, specJson)), drain.IsDraining);

    private void End((JobId JobId, Generation Generation) held)
    {
        ranks.Abort(held.JobId, held.Generation, new JobError(
            ErrorCodes.SiloLost, $"Generation {held.Generation} of job {held.JobId} is over on silo {local.Name}.", null, local.Name, null,
            null));
        released = true;
        Settle();
    }

    /// <summary>Slots that were given back are free once no rank runs on them.</summary>
    private void Settle()
    {
        if (!released || ranks.IsBusy) return;
        (holder, released) = (null, false);
    }

    private LeasedSilo Self() => new(local.SiloAddress, local.Name, options.Value.CpuSlots)
    {
        Fingerprint = options.Value.Fingerprint,
        Memory = options.Value.Memory,
    };
}
