using Distributed.Core.Jobs;

namespace Distributed.Grains.Contracts;

/// <summary>
/// Sums the chunks of one generation on a thread of its own; the interface between the coordinator and the trainer's arithmetic.
/// </summary>
public interface IChunkReducer : IDisposable
{
    /// <summary>Whether a chunk's body is what the layout expects; quick.</summary>
    /// <returns>What was found and what was expected; null when it fits.</returns>
    string? Misfit(ExchangeChunk chunk);

    /// <summary>Sums a slice and returns at once.</summary>
    /// <param name="chunks">Of all silos, in rank order; those that came from another process are given back.</param>
    /// <returns>The sum, the caller's to give back.</returns>
    Task<ExchangeChunk> Reduce(IReadOnlyList<ExchangeChunk> chunks);
}

/// <summary>Opens the reducers of this silo.</summary>
public interface IChunkReducers
{
    /// <exception cref="ArgumentException">The layout contradicts itself.</exception>
    IChunkReducer Open(JobId jobId, ExchangeLayout layout);
}
