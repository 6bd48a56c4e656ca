using Distributed.Core.Canonical;
using Distributed.Core.Jobs;
using Distributed.Grains.Contracts;
using Distributed.Grains.Exchange;

namespace Distributed.Grains.Tests.Exchange;

/// <summary>Sums that the test completes by hand.</summary>
internal sealed class FakeReducers : IChunkReducers, IChunkReducer
{
    private readonly Queue<(IReadOnlyList<ExchangeChunk> Chunks, TaskCompletionSource<ExchangeChunk> Done)> asked = new();

    public string? Wrong { get; set; }

    public bool IsDisposed { get; private set; }

    public int Asked => asked.Count;

    /// <summary>A generation 1 of silos a, b, ... with two slices.</summary>
    public ChunkRendezvous Open(int silos = 2)
    {
        var names = Enumerable.Range(0, silos).Select(i => $"{(char)('a' + i)}").ToList();
        var rendezvous = new ChunkRendezvous(
            JobId.Parse("job"), new GenerationSetup(new(1), "{}", [.. names], TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(5)), this);
        foreach (var name in names) Assert.Null(rendezvous.Join(new(1), name, Layout(silos)));
        return rendezvous;
    }

    public static ExchangeLayout Layout(int silos = 2, long count = 20_000) =>
        new(5 * BlockPlan.BlockElements, [.. Enumerable.Range(1, silos)], [0], [count]);

    public static ExchangeChunk Chunk(int silo, int slice, long step = 1, int handled = 0, int generation = 1, float scale = 1) =>
        new(new ChunkHeader(new(generation), step, slice, silo, handled, false, scale, 0.5f), ChunkBuffer.Rent(64));

    /// <summary>Completes the oldest sum.</summary>
    /// <returns>The chunks that went into it.</returns>
    public IReadOnlyList<ExchangeChunk> Finish()
    {
        var (chunks, done) = asked.Dequeue();
        done.SetResult(new ExchangeChunk(chunks[0].Header, ChunkBuffer.Rent(64)));
        return chunks;
    }

    public void Fail(string message) => asked.Dequeue().Done.SetException(new InvalidOperationException(message));

    public IChunkReducer Open(JobId jobId, ExchangeLayout layout) =>
        layout.Counts[0] > layout.Elements ? throw new ArgumentException("found a parameter beyond the end") : this;

    public string? Misfit(ExchangeChunk chunk) => Wrong;

    public Task<ExchangeChunk> Reduce(IReadOnlyList<ExchangeChunk> chunks)
    {
        var done = new TaskCompletionSource<ExchangeChunk>();
        asked.Enqueue(([.. chunks], done));
        return done.Task;
    }

    public void Dispose() => IsDisposed = true;
}
