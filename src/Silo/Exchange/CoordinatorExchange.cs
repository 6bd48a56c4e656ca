using System.Globalization;
using System.Runtime.InteropServices;
using Distributed.Core.Canonical;
using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Grains.Contracts;
using Distributed.Grains.Exchange;
using Distributed.Training.Exchange;
using Distributed.Training.Reduction;
using Orleans.Runtime;

namespace Distributed.Silo.Exchange;

/// <summary>The exchange as calls to the coordinator grain: slice by slice to it, and the sum back, a few on the way at a time.</summary>
/// <remarks>
/// One thread packs and unpacks, under <c>desk</c>; where they have cores, ranks that wait pack too, each at a seat of its own. Slices
/// leave in the order of the plan in every silo, even when backward finishes buckets in another: silos that waited for different slices
/// would wait for ever.
/// </remarks>
internal sealed class CoordinatorExchange : IGradientExchange
{
    private static readonly TimeSpan LongestAnswer = TimeSpan.FromSeconds(10);

    private readonly ExchangeJob job;
    private readonly ExchangeBuffers buffers;
    private readonly ExchangePlan plan;
    private readonly ExchangeSilos silos;
    private readonly ICoordinatorExchange coordinator;
    private readonly bool overlap;
    private readonly bool ranksPack;
    private readonly int window;
    private readonly Thread thread;
    private readonly Lock desk = new();
    private readonly object gate = new();
    private readonly Queue<(ExchangeChunk Sent, ExchangeReply Reply)> replies = new();
    private readonly bool[] released;
    private readonly bool[] taken;
    private JobError? failure;
    private bool disposed;
    private bool farewell;
    private long step;
    private int releasedCount;
    private int releasedFirst;
    private int sent;
    private int handled;
    private long lastNews;

    /// <param name="overlap">Buckets leave while ranks compute.</param>
    /// <param name="ranksPack">Ranks that wait pack slices.</param>
    public CoordinatorExchange(
        ExchangeJob job, ExchangeBuffers buffers, ICoordinatorExchange coordinator, bool overlap, bool ranksPack)
    {
        (this.job, this.buffers, plan, silos, this.coordinator) = (job, buffers, buffers.Plan, buffers.Silos, coordinator);
        (this.overlap, this.ranksPack) = (overlap, ranksPack);
        window = ChunkWindow.Of(plan);
        released = new bool[plan.Buckets.Count];
        taken = new bool[plan.Slices.Count];
        sent = handled = plan.Slices.Count;
        thread = new Thread(Work) { IsBackground = true, Name = "exchange" };
        thread.Start();
    }

    public IReadOnlyList<BlockRun> Buckets => plan.Buckets;

    public SiloReports Reports => buffers.Reports;

    private string Here => silos.Names[silos.Index];

    public void Begin(long step, GradientFactors factors)
    {
        lock (desk)
        {
            lock (gate)
            {
                ThrowIfFailed();
                buffers.Begin(factors);
                this.step = step;
                Array.Clear(released);
                Array.Clear(taken);
                releasedCount = releasedFirst = sent = handled = 0;
            }
        }
    }

    public void Release(int bucket)
    {
        lock (gate)
        {
            released[bucket] = true;
            releasedCount++;
            while (releasedFirst < released.Length && released[releasedFirst]) releasedFirst++;
            Monitor.PulseAll(gate);
        }

        if (ranksPack) job.Nudge();
    }

    public void Reduce(int rank, TimeSpan patience) =>
        job.MeetForExchange(rank, step, () => Complete(patience), ranksPack ? () => TryPack(rank) : null);

    private void Complete(TimeSpan patience)
    {
        lock (gate)
        {
            lastNews = Environment.TickCount64;
            var asked = false;
            while (handled < plan.Slices.Count)
            {
                ThrowIfFailed();
                var left = patience.TotalMilliseconds + (asked ? LongestAnswer.TotalMilliseconds : 0)
                    - (Environment.TickCount64 - lastNews);
                if (left > 0)
                {
                    Monitor.Wait(gate, (int)Math.Min(left, int.MaxValue - 1) + 1);
                }
                else if (asked)
                {
                    failure ??= Silent(patience);
                }
                else
                {
                    asked = true;
                    _ = AskWhoIsMissing(handled, patience);
                }
            }
        }
    }

    public void Abort(JobError reason)
    {
        Fail(reason);
        Leave(reason);
        // The ranks free their gradients next: the thread that packs them must be done.
        lock (desk)
        {
        }
    }

    public void Dispose()
    {
        lock (gate)
        {
            if (disposed) return;
            disposed = true;
            Monitor.PulseAll(gate);
        }

        thread.Join();
        Leave(null);
        buffers.Dispose();
    }

    private void ThrowIfFailed()
    {
        if (failure is { } error) throw new JobErrorException(error);
    }

    private void Work()
    {
        while (Next() is { } task)
        {
            try
            {
                lock (desk)
                    if (Volatile.Read(ref failure) is null) task();
            }
#pragma warning disable CA1031 // The thread's edge: the rank that waits for the result throws it.
            catch (Exception e)
#pragma warning restore CA1031
            {
                Fail(Error(ErrorCodes.Internal, $"{e.GetType().Name}: {e.Message}"));
            }
        }
    }

    /// <summary>Waits for something to do: a reply to take, or a slice that may leave.</summary>
    /// <returns>Null at the end.</returns>
    private Action? Next()
    {
        lock (gate)
        {
            while (!disposed)
            {
                if (failure is null && replies.TryDequeue(out var answered)) return () => Take(answered.Sent, answered.Reply);
                if (failure is null && MaySend())
                {
                    var (slice, acknowledged) = TakeNext();
                    return () => Send(slice, acknowledged, seat: 0);
                }

                Monitor.Wait(gate);
            }

            return null;
        }
    }

    /// <summary>Packs the next slice on the thread of a rank that waits.</summary>
    /// <returns>False: none may leave at present.</returns>
    private bool TryPack(int rank)
    {
        int slice, acknowledged;
        lock (gate)
        {
            if (failure is not null || !MaySend()) return false;
            (slice, acknowledged) = TakeNext();
        }

        Send(slice, acknowledged, rank + 1);
        return true;
    }

    /// <returns>The slice that leaves next, and how many sums it acknowledges.</returns>
    private (int Slice, int Acknowledged) TakeNext()
    {
        // Once per step, by one thread: afterwards several read it.
        buffers.Gather();
        return (sent++, handled);
    }

    private bool MaySend() =>
        sent < plan.Slices.Count && sent < handled + window
        && (overlap ? plan.Slices[sent].Bucket < releasedFirst : releasedCount == released.Length);

    private void Send(int slice, int acknowledged, int seat)
    {
        var factors = buffers.Factors;
        var header = new ChunkHeader(
            silos.Generation, step, slice, silos.Index, acknowledged, false, factors.InverseScale, factors.MeanFactor);
        _ = Call(new ExchangeChunk(header, Pack(slice, seat)));
    }

    private ChunkBuffer Pack(int slice, int seat)
    {
        var partials = plan.Partials[silos.Index].Count;
        var presenceBytes = buffers.PresenceBytes(slice);
        var bytes = ChunkForm.SliceBytes(plan, slice);
        var (lossesStart, lossesEnd) = ChunkForm.Losses(plan, silos.Index, slice, presenceBytes);
        var at = ChunkForm.ElementsAt(lossesEnd);
        var body = ChunkBuffer.Rent(at + (partials * bytes));
        MemoryMarshal.AsBytes(buffers.Losses.AsSpan(plan.SiloRuns[silos.Index].Start))[..(lossesEnd - lossesStart)]
            .CopyTo(body.Span[lossesStart..]);
        for (var k = 0; k < partials; k++)
        {
            var operand = buffers.Operand(slice, k, body.Address + at, body.Span.Slice(k * presenceBytes, presenceBytes), seat);
            if (operand == 0) continue;
            if (operand != body.Address + at) body.Fill(at, operand, bytes);
            at += bytes;
        }

        body.Length = at;
        return body;
    }

    private async Task Call(ExchangeChunk chunk)
    {
        ExchangeReply reply;
        try
        {
            reply = await coordinator.Exchange(chunk).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OrleansException or TimeoutException or InvalidOperationException)
        {
            reply = new ExchangeReply(null, Unreachable(e));
        }

        lock (gate)
        {
            replies.Enqueue((chunk, reply));
            Monitor.PulseAll(gate);
        }
    }

    private void Take(ExchangeChunk chunk, ExchangeReply reply)
    {
        var slice = chunk.Header.Slice;
        if (reply.Sum is not { Body: { } body } sum)
        {
            Fail(reply.Error is { } reason
                ? WithRank(reason)
                : Error(
                    ErrorCodes.Internal,
                    "the coordinator answered with an empty or oversized sum; "
                    + "update all silos to one build and resume from the last checkpoint"));
            return;
        }

        var trailerBytes = buffers.SumTrailerBytes(slice);
        var bytes = ChunkForm.SliceBytes(plan, slice);
        var (lossesStart, lossesEnd) = ChunkForm.Losses(plan, slice, trailerBytes);
        var elementsAt = ChunkForm.ElementsAt(lossesEnd);
        if (sum.Header.Step != chunk.Header.Step || sum.Header.Slice != slice || body.Length != elementsAt + bytes)
        {
            Fail(Error(
                ErrorCodes.Internal,
                $"the coordinator answered with slice {sum.Header.Slice} of step {sum.Header.Step} in {body.Length} bytes, "
                + $"expected slice {slice} of step {chunk.Header.Step} in {elementsAt + bytes}; "
                + "update all silos to one build and resume from the last checkpoint"));
            return;
        }

        body.Spill(elementsAt, buffers.Sum(slice), bytes);
        buffers.TakeSum(slice, sum.Header.FoundInf, body.Span[..trailerBytes]);
        body.Span[lossesStart..lossesEnd].CopyTo(MemoryMarshal.AsBytes(buffers.Losses.AsSpan()));
        // With the answer here, nobody reads the question any more.
        chunk.Body!.Return();
        sum.ReturnReceived();
        lock (gate)
        {
            taken[slice] = true;
            while (handled < taken.Length && taken[handled]) handled++;
            lastNews = Environment.TickCount64;
            Monitor.PulseAll(gate);
        }

        if (ranksPack) job.Nudge();
    }

    private async Task AskWhoIsMissing(int slice, TimeSpan patience)
    {
        try
        {
            Fail(WithRank(await coordinator.Late(silos.Generation, Here, step, slice, patience).ConfigureAwait(false)));
        }
        catch (Exception e) when (e is OrleansException or TimeoutException or InvalidOperationException)
        {
            Fail(Unreachable(e));
        }
    }

    /// <summary>Tells the coordinator, once, that this silo brings and takes nothing more.</summary>
    private void Leave(JobError? reason)
    {
        lock (gate)
        {
            if (farewell) return;
            farewell = true;
        }

        _ = Tell();

        async Task Tell()
        {
            try
            {
                await coordinator.Leave(silos.Generation, Here, reason).ConfigureAwait(false);
            }
            catch (Exception e) when (e is OrleansException or TimeoutException or InvalidOperationException)
            {
                // Gone already: the exchange went with it.
            }
        }
    }

    private void Fail(JobError error)
    {
        lock (gate)
        {
            failure ??= error;
            Monitor.PulseAll(gate);
        }
    }

    /// <summary>The coordinator knows silos; which ranks they hold is known here.</summary>
    private JobError WithRank(JobError error)
    {
        for (var silo = 0; silo < silos.Count; silo++)
            if (error.Rank is null && error.Silo == silos.Names[silo]) return error with { Rank = new Rank(silos.FirstRanks[silo]) };
        return error;
    }

    /// <summary>Names the silo of rank 0, which holds the coordinator: not this one, which noticed.</summary>
    private JobError Unreachable(Exception e) => Error(
        ErrorCodes.SiloLost,
        $"the coordinator on silo {silos.Names[0]} cannot be reached ({e.GetType().Name}). "
        + "Look at that silo's log, then resume from the last checkpoint") with
    {
        Rank = new Rank(0),
        Silo = silos.Names[0],
    };

    private JobError Silent(TimeSpan patience) => Error(ErrorCodes.Deadline, string.Create(
        CultureInfo.InvariantCulture,
        $"no news for {patience.TotalSeconds:0.###} s, and the coordinator does not say who is missing. "
        + $"Look at the log of the silo of rank 0, which coordinates the job, then resume from the last checkpoint"));

    private JobError Error(string code, string message)
    {
        var bucket = handled < plan.Slices.Count
            ? string.Create(CultureInfo.InvariantCulture, $", bucket {plan.Slices[handled].Bucket}")
            : "";
        return new JobError(
            code, string.Create(CultureInfo.InvariantCulture, $"Step {step}, phase exchange{bucket}, silo {Here}: {message}."),
            new Rank(silos.FirstRanks[silos.Index]), Here, "exchange", step);
    }
}
