using Distributed.Core;
using Distributed.Core.Events;
using Distributed.Grains.Exchange;

namespace Distributed.Grains.Coordination;

internal sealed partial class CoordinatorGrain
{
    private ChunkRendezvous? chunks;

    public Task<JobError?> Join(int generation, string silo, ExchangeLayout layout) =>
        Task.FromResult(chunks is null ? NoExchange(generation, null) : chunks.Join(generation, silo, layout));

    public Task<ExchangeReply> Exchange(ExchangeChunk chunk) => chunks is null
        ? Task.FromResult(new ExchangeReply(null, NoExchange(chunk.Header.Generation, chunk.Header.Step)))
        : chunks.Add(chunk);

    public Task<JobError> Late(int generation, string silo, long step, int slice, TimeSpan patience) =>
        Task.FromResult(chunks is null ? NoExchange(generation, step) : chunks.Late(generation, silo, step, slice, patience));

    public Task Leave(int generation, string silo, JobError? reason)
    {
        chunks?.Leave(generation, silo, reason);
        return Task.CompletedTask;
    }

    private JobError NoExchange(int generation, long? step) => new(
        ErrorCodes.SiloLost,
        $"Job {this.GetPrimaryKeyString()}, exchange: the coordinator lost generation {generation} when its silo ended; resume from the last checkpoint.",
        null, null, "exchange", step);
}
