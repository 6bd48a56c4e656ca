using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Distributed.Core.Canonical;
using Distributed.Core.Jobs;
using Distributed.Grains.Contracts;
using Distributed.Training.Exchange;
using Distributed.Training.Reduction;

namespace Distributed.Silo.Exchange;

/// <summary>Sums slices one after the other on its own thread, straight from the bodies of the chunks.</summary>
internal sealed class ChunkReducer : IChunkReducer
{
    private readonly SliceReducer reducer;
    private readonly BlockingCollection<(IReadOnlyList<ExchangeChunk> Chunks, TaskCompletionSource<ExchangeChunk> Done)> work = [];
    private readonly List<SliceOperand> operands = [];
    private int ended;

    /// <exception cref="ArgumentException">The layout contradicts itself.</exception>
    public ChunkReducer(JobId jobId, ExchangeLayout layout)
    {
        reducer = new SliceReducer(new SliceLayout(
            layout.Elements, layout.SiloRuns(), [.. layout.Offsets.Zip(layout.Counts, (offset, count) => (offset, count))]));
        new Thread(Work) { IsBackground = true, Name = $"exchange sums of {jobId}" }.Start();
    }

    private ExchangePlan Plan => reducer.Plan;

    public string? Misfit(ExchangeChunk chunk)
    {
        var (slice, silo) = (chunk.Header.Slice, chunk.Header.Silo);
        var presenceBytes = reducer.PresenceBytes(slice);
        var elementsAt = ChunkForm.ElementsAt(ChunkForm.Losses(Plan, silo, slice, presenceBytes).End);
        var most = elementsAt + (Plan.Partials[silo].Count * ChunkForm.SliceBytes(Plan, slice));
        if (chunk.Body is not { } body || body.Length > most || body.Length < elementsAt)
            return $"found a body of {chunk.BodyBytes} bytes, expected {elementsAt} to {most}";
        var partials = Enumerable.Range(0, Plan.Partials[silo].Count).Count(k => IsPresent(body, k, presenceBytes));
        var expected = elementsAt + (partials * ChunkForm.SliceBytes(Plan, slice));
        return body.Length == expected ? null : $"found a body of {body.Length} bytes, expected {expected} for {partials} partials";
    }

    public Task<ExchangeChunk> Reduce(IReadOnlyList<ExchangeChunk> chunks)
    {
        var done = new TaskCompletionSource<ExchangeChunk>(TaskCreationOptions.RunContinuationsAsynchronously);
        work.Add((chunks, done));
        return done.Task;
    }

    /// <summary>Ends the thread after what is already queued; an exchange that failed is ended once more with its generation.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref ended, 1) == 0) work.CompleteAdding();
    }

    private void Work()
    {
        foreach (var (chunks, done) in work.GetConsumingEnumerable())
        {
            try
            {
                done.SetResult(Sum(chunks));
            }
#pragma warning disable CA1031 // The thread's edge: the thread that waits for the sum gets the reason.
            catch (Exception e)
#pragma warning restore CA1031
            {
                done.SetException(e);
            }
        }

        reducer.Dispose();
        work.Dispose();
    }

    private ExchangeChunk Sum(IReadOnlyList<ExchangeChunk> chunks)
    {
        var header = chunks[0].Header;
        var slice = header.Slice;
        var trailerBytes = reducer.SumTrailerBytes(slice);
        var (lossesStart, lossesEnd) = ChunkForm.Losses(Plan, slice, trailerBytes);
        var elementsAt = ChunkForm.ElementsAt(lossesEnd);
        var sum = ChunkBuffer.Rent(elementsAt + ChunkForm.SliceBytes(Plan, slice));
        var losses = sum.Span[lossesStart..lossesEnd];
        operands.Clear();
        foreach (var chunk in chunks) Lay(chunk, ref losses);
        var found = reducer.Reduce(
            slice, operands, new GradientFactors(header.InverseScale, header.MeanFactor), sum.Address + elementsAt,
            sum.Span[..trailerBytes]);
        foreach (var chunk in chunks) chunk.ReturnReceived();
        return new ExchangeChunk(header with { FoundInf = found }, sum);
    }

    /// <summary>Points to a chunk's partials and passes its losses on.</summary>
    private void Lay(ExchangeChunk chunk, ref Span<byte> losses)
    {
        var (slice, silo, body) = (chunk.Header.Slice, chunk.Header.Silo, chunk.Body!);
        var presenceBytes = reducer.PresenceBytes(slice);
        var (lossesStart, lossesEnd) = ChunkForm.Losses(Plan, silo, slice, presenceBytes);
        body.Span[lossesStart..lossesEnd].CopyTo(losses);
        losses = losses[(lossesEnd - lossesStart)..];
        var at = body.Address + ChunkForm.ElementsAt(lossesEnd);
        for (var k = 0; k < Plan.Partials[silo].Count; k++)
        {
            operands.Add(new SliceOperand(at, body.Address + (k * presenceBytes)));
            if (IsPresent(body, k, presenceBytes)) at += ChunkForm.SliceBytes(Plan, slice);
        }
    }

    private static bool IsPresent(ChunkBuffer body, int partial, int presenceBytes) =>
        MemoryMarshal.Cast<byte, ulong>(body.Span.Slice(partial * presenceBytes, presenceBytes)).ContainsAnyExcept(0UL);
}
