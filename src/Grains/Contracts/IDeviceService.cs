using Distributed.Core.Jobs;
using Distributed.Grains.Placement;
using Orleans.Concurrency;
using Orleans.Services;

namespace Distributed.Grains.Contracts;

/// <summary>The device slots of one silo, one such service on each; they go to one job at a time.</summary>
/// <remarks>The lease lives and dies with the silo. One job per silo: a fault in libtorch can end the process.</remarks>
public interface IDeviceService : IGrainService
{
    /// <summary>Asks for the slots; the same job and generation again keeps them.</summary>
    /// <returns>The silo, leased; null while another job, or ranks of an older generation, are on it, or when it leaves.</returns>
    [ResponseTimeout("00:00:05")]
    [Alias("296E1C30")]
    Task<LeasedSilo?> TryLease(JobId jobId, Generation generation);

    /// <summary>
    /// Gives the slots back; who does not hold them changes nothing. Ranks that still run are ended, and the slots stay
    /// taken until they have.
    /// </summary>
    [ResponseTimeout("00:00:05")]
    [Alias("C62E51B5")]
    Task Release(JobId jobId, Generation generation);

    /// <summary>Has the silo take no more ranks and hand over those it has, or takes that back.</summary>
    /// <returns>Whether it drains now; a silo that leaves does so whatever is asked.</returns>
    [ResponseTimeout("00:00:05")]
    Task<bool> Drain(bool drain);

    /// <summary>What there is, and who has it.</summary>
    [ResponseTimeout("00:00:02")]
    Task<SiloDevices> Describe();

    /// <summary>What time it is there.</summary>
    [ResponseTimeout("00:00:02")]
    Task<DateTimeOffset> Clock();

    /// <summary>Whether the files that a job reads are there, as far as a look from outside tells.</summary>
    [ResponseTimeout("00:00:02")]
    [Alias("491FA3CE")]
    Task<SiloInputs> Lacks(JobId jobId, string specJson);
}

/// <param name="Lacks">What is missing, in words; null: nothing.</param>
/// <param name="Draining">The silo leaves and takes no more ranks.</param>
[GenerateSerializer, Immutable]
public sealed record SiloInputs([property: Id(0)] string? Lacks, [property: Id(1)] bool Draining);

/// <param name="Holder">The job that has the slots; null when they are free.</param>
/// <param name="Generation">Of the holder.</param>
/// <param name="Draining">The silo leaves, or was drained, and takes no more ranks.</param>
[GenerateSerializer, Immutable]
public sealed record SiloDevices(
    [property: Id(0)] LeasedSilo Silo,
    [property: Id(1)] JobId? Holder,
    [property: Id(2)] Generation Generation,
    [property: Id(3)] bool Draining);

/// <summary>The way to the device services of all silos.</summary>
public interface IDeviceServices
{
    IDeviceService On(Orleans.Runtime.SiloAddress silo);
}
