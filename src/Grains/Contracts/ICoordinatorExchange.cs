using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Orleans.Concurrency;

namespace Distributed.Grains.Contracts;

/// <summary>
/// The coordinator as the meeting place of gradients, where <c>exchange: coordinator</c> is chosen; the key is that of the coordinator.
/// </summary>
public interface ICoordinatorExchange : IGrainWithStringKey
{
    /// <summary>A silo says how it cuts the gradient; before its first chunk.</summary>
    /// <returns>Why it may not take part; null when it may.</returns>
    [Alias("6D58D6A7")]
    Task<JobError?> Join(Generation generation, string silo, ExchangeLayout layout);

    /// <summary>Takes a silo's part of a slice and answers with the sum once all silos have brought theirs.</summary>
    [AlwaysInterleave, ResponseTimeout("1.00:00:00")]
    Task<ExchangeReply> Exchange(ExchangeChunk chunk);

    /// <summary>A silo has waited too long for the sum of a slice: ends the exchange for all.</summary>
    /// <returns>Why; names the silos that are missing.</returns>
    [Alias("D0379B6C")]
    Task<JobError> Late(Generation generation, string silo, long step, int slice, TimeSpan patience);

    /// <summary>A silo brings and takes nothing more.</summary>
    /// <param name="reason">Set when it gives up: ends the exchange for all.</param>
    [Alias("4B08A010")]
    Task Leave(Generation generation, string silo, JobError? reason);
}
