using Distributed.Core.Events;
using Orleans.Concurrency;

namespace Distributed.Grains.Contracts;

/// <summary>One rank of one generation on the silo that its key names (see <see cref="WorkerKey"/>).</summary>
public interface IWorkerGrain : IGrainWithStringKey
{
    /// <summary>Starts the rank; a second call changes nothing.</summary>
    [ResponseTimeout("00:00:10")]
    Task Start(RankAssignment assignment);

    [AlwaysInterleave]
    Task<WorkerReport> Status();

    /// <summary>Ends the rank, and with it all ranks of the generation on this silo, at its next wait.</summary>
    [AlwaysInterleave, ResponseTimeout("00:00:05")]
    Task Abort(JobError reason);

    /// <summary>As <see cref="Abort"/>; a silo whose ranks do not end soon ends itself.</summary>
    [AlwaysInterleave, ResponseTimeout("00:00:05")]
    Task End(JobError reason);
}

/// <param name="Started">The rank's thread was started.</param>
/// <param name="End">Null until it has ended.</param>
[GenerateSerializer, Immutable]
public sealed record WorkerReport([property: Id(0)] bool Started, [property: Id(1)] RankEnd? End);
