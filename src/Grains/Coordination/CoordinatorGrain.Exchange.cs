using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Grains.Contracts;
using Distributed.Grains.Exchange;

namespace Distributed.Grains.Coordination;

internal sealed partial class CoordinatorGrain
{
    private ChunkRendezvous? chunks;

    public Task<JobError?> Join(Generation generation, string silo, ExchangeLayout layout) =>
        Task.FromResult(chunks is null ? Gone(generation, "exchange", null) : chunks.Join(generation, silo, layout));

    public Task<ExchangeReply> Exchange(ExchangeChunk chunk) => chunks is null
        ? Task.FromResult(new ExchangeReply(null, Gone(chunk.Header.Generation, "exchange", chunk.Header.Step)))
        : chunks.Add(chunk);

    public Task<JobError> Late(Generation generation, string silo, long step, int slice, TimeSpan patience) =>
        Task.FromResult(chunks is null ? Gone(generation, "exchange", step) : chunks.Late(generation, silo, step, slice, patience));

    public Task Leave(Generation generation, string silo, JobError? reason)
    {
        if (chunks is null) DeactivateOnIdle();
        else chunks.Leave(generation, silo, reason);
        return Task.CompletedTask;
    }
}
