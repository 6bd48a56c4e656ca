using Distributed.Grains.Contracts;

namespace Distributed.Grains.Exchange;

/// <summary>The chunks of one slice and those who wait for its sum.</summary>
internal sealed class SliceGathering(int silos)
{
    private readonly ExchangeChunk?[] chunks = new ExchangeChunk?[silos];
    private readonly TaskCompletionSource<ExchangeReply> reply = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int waiting = silos;

    public int Missing { get; private set; } = silos;

    public bool Has(int silo) => chunks[silo] is not null;

    public void Add(int silo, ExchangeChunk chunk)
    {
        chunks[silo] = chunk;
        Missing--;
    }

    /// <value>By silo, once none is missing.</value>
    public IReadOnlyList<ExchangeChunk> Chunks => chunks!;

    /// <summary>Completes with the answer that all silos get.</summary>
    public async Task<ExchangeReply> Answered()
    {
#pragma warning disable VSTHRD003 // Completed by this object alone, with continuations elsewhere.
        return await reply.Task.ConfigureAwait(false);
#pragma warning restore VSTHRD003
    }

    /// <summary>Answers all silos.</summary>
    /// <returns>False when they have been answered before.</returns>
    public bool Answer(ExchangeReply answer) => reply.TrySetResult(answer);

    /// <summary>A silo has taken the sum; the last one gives it back.</summary>
    public void Taken()
    {
        if (--waiting == 0 && reply.Task is { IsCompletedSuccessfully: true, Result.Sum: { } sum }) sum.Body!.Return();
    }
}

/// <summary>The slices of one step.</summary>
internal sealed class StepGathering(long step, int slices, int silos, float inverseScale, float meanFactor, int firstSilo)
{
    public long Step { get; } = step;

    public float InverseScale { get; } = inverseScale;

    public float MeanFactor { get; } = meanFactor;

    /// <value>Who said so.</value>
    public int FirstSilo { get; } = firstSilo;

    public SliceGathering[] Slices { get; } = [.. Enumerable.Range(0, slices).Select(_ => new SliceGathering(silos))];

    /// <value>Silos that are not beyond this step.</value>
    public int Silos { get; set; } = silos;
}
