using Distributed.Core.Jobs;
using Distributed.Grains.Contracts;

namespace Distributed.Silo.Exchange;

/// <summary>Opens a thread with the trainer's arithmetic for each generation whose coordinator lives on this silo.</summary>
internal sealed class ChunkReducers : IChunkReducers
{
    public IChunkReducer Open(JobId jobId, ExchangeLayout layout) => new ChunkReducer(jobId, layout);
}
