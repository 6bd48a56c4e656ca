using System.Collections.Concurrent;
using System.Globalization;
using Distributed.Core;
using Distributed.Core.Canonical;
using Distributed.Core.Events;
using Distributed.Training.Collectives;
using Distributed.Training.Loop;
using static Distributed.Training.Exchange.Posix;

namespace Distributed.Training.Exchange;

/// <summary>Reduce-scatter and all-gather between silos over sockets of their own, straight from and to native memory.</summary>
/// <remarks>
/// A pump: whoever holds it looks at every link in turn and waits only when nothing moves. While ranks compute, a thread of the exchange
/// holds it; a rank that waits for the result takes it over, so that a small exchange costs no change of threads. All state but the
/// queue of released buckets belongs to the pump's holder.
/// </remarks>
internal sealed unsafe class PeerExchange : IGradientExchange
{
    private const int RecheckMilliseconds = 1000;
    private const int FarewellMilliseconds = 100;
    private const int Spins = 2000;

    private readonly ExchangeBuffers buffers;
    private readonly ExchangePlan plan;
    private readonly ExchangeSilos silos;
    private readonly PeerLink[] links;
    private readonly PeerListener? door;
    private readonly ulong job;
    private readonly bool spin;
    private readonly Lock pump = new();
    private readonly ConcurrentQueue<int> released = new();
    private readonly ManualResetEventSlim helperNeeded = new();
    private readonly Thread? helper;
    private readonly int wake = CreateEvent();
    private readonly int[] operandsMissing;
    private readonly ulong[] operandsGot;
    private readonly bool[] done;
    private readonly bool[] lossesGot;
    private readonly int[] partialBase;
    private volatile bool callerWants;
    private volatile bool asleep;
    private volatile bool ended;
    private volatile JobError? failure;
    private int releasedCount;
    private long step;
    private int slicesLeft;
    private int lossesLeft;
    private long lastNews;

    /// <param name="links">Proven connections to all other silos; taken over.</param>
    /// <param name="door">Where strangers are turned away; taken over.</param>
    /// <param name="overlap">Buckets leave while ranks compute.</param>
    /// <param name="spin">Every runnable thread has a core, so waiting by looking costs no one anything.</param>
    public PeerExchange(ExchangeBuffers buffers, IReadOnlyList<PeerLink> links, PeerListener? door, bool overlap, bool spin)
    {
        (this.buffers, plan, silos, this.door, this.spin) = (buffers, buffers.Plan, buffers.Silos, door, spin);
        this.links = [.. links];
        job = PeerHandshake.JobNumber(silos.JobId);
        operandsMissing = new int[plan.Slices.Count];
        operandsGot = new ulong[plan.Slices.Count];
        done = new bool[plan.Slices.Count];
        lossesGot = new bool[plan.Silos];
        partialBase = new int[plan.Silos + 1];
        for (var i = 0; i < plan.Silos; i++) partialBase[i + 1] = partialBase[i] + plan.Partials[i].Count;
        if (!overlap) return;
        helper = new Thread(Help) { IsBackground = true, Name = "exchange" };
        helper.Start();
    }

    public void Begin(long step, GradientFactors factors)
    {
        lock (pump)
        {
            ThrowIfFailed();
            this.step = step;
            buffers.Begin(factors);
            slicesLeft = plan.Slices.Count;
            lossesLeft = plan.Silos - 1;
            releasedCount = 0;
            Array.Clear(done);
            Array.Clear(lossesGot);
            Array.Clear(operandsGot);
            foreach (var link in links) link.IsParked = false;
            var remote = partialBase[^1] - plan.Partials[silos.Index].Count;
            // One more for the silo's own release.
            for (var i = 0; i < operandsMissing.Length; i++) operandsMissing[i] = plan.Reduces(silos.Index, i) ? remote + 1 : -1;
        }
    }

    public void Release(int bucket)
    {
        released.Enqueue(bucket);
        // With the last bucket the caller comes itself.
        if (helper is null || Interlocked.Increment(ref releasedCount) == plan.Buckets.Count) return;
        helperNeeded.Set();
        if (asleep) Signal(wake);
    }

    public void Complete(TimeSpan patience)
    {
        callerWants = true;
        Interlocked.MemoryBarrier();
        if (asleep) Signal(wake);
        try
        {
            lock (pump)
            {
                lastNews = Environment.TickCount64;
                foreach (var link in links) link.Outgoing.Enqueue(new OutgoingFrame(FrameKind.Losses, 0, 0));
                while (slicesLeft > 0 || lossesLeft > 0 || !IsFlushed())
                {
                    ThrowIfFailed();
                    Round(isCaller: true);
                    if (Environment.TickCount64 - lastNews > patience.TotalMilliseconds) Fail(Late(patience));
                }
            }
        }
        finally
        {
            callerWants = false;
        }
    }

    public void Abort(JobError reason)
    {
        failure ??= reason;
        Signal(wake);
        lock (pump) Farewell();
    }

    public void Dispose()
    {
        // Without a failure the others have all they need: an end needs no reason.
        if (failure is null) ended = true;
        failure ??= new JobError(ErrorCodes.Internal, $"The exchange of silo {silos.Names[silos.Index]} has ended.", null, silos.Names[silos.Index], "exchange", null);
        Signal(wake);
        helperNeeded.Set();
        helper?.Join();
        door?.Dispose();
        foreach (var link in links) link.Dispose();
        _ = Close(wake);
        helperNeeded.Dispose();
        buffers.Dispose();
    }

    private void ThrowIfFailed()
    {
        if (failure is { } error) throw new JobErrorException(error);
    }

    /// <summary>The exchange's own thread: moves it on between the first release and the caller's coming.</summary>
    private void Help()
    {
        while (failure is null)
        {
            helperNeeded.Wait();
            helperNeeded.Reset();
            lock (pump)
            {
                try
                {
                    while (!callerWants && failure is null && slicesLeft > 0) Round(isCaller: false);
                }
                catch (JobException)
                {
                    // Kept in `failure`; the rank that waits for the result throws it.
                }
            }
        }
    }

    /// <summary>One look at everything; waits when nothing moved.</summary>
    private void Round(bool isCaller)
    {
        for (var idle = 0; ; idle++)
        {
            var moved = false;
            while (released.TryDequeue(out var bucket))
            {
                TakeRelease(bucket);
                moved = true;
            }
            foreach (var link in links) moved |= Move(link);
            if (moved || failure is not null) return;
            if (!isCaller || !spin || idle >= Spins) break;
            if (slicesLeft == 0 && lossesLeft == 0 && IsFlushed()) return;
            if (idle % 16 == 15) Thread.SpinWait(4);
        }
        Sleep(isCaller);
    }

    private void Sleep(bool isCaller)
    {
        var entries = stackalloc PollEntry[links.Length + 1];
        for (var i = 0; i < links.Length; i++)
        {
            var wanted = links[i].IsParked ? 0 : PollIn;
            if (links[i].IsSending || links[i].Outgoing.Count > 0) wanted |= PollOut;
            entries[i] = new PollEntry { Fd = wanted == 0 ? -1 : links[i].Fd, Wanted = (short)wanted };
        }
        entries[links.Length] = new PollEntry { Fd = wake, Wanted = PollIn };
        asleep = true;
        Interlocked.MemoryBarrier();
        if (released.IsEmpty && failure is null && (isCaller || !callerWants)) _ = Poll(entries, (nuint)links.Length + 1, RecheckMilliseconds);
        asleep = false;
        if (entries[links.Length].Happened != 0) Consume(wake);
    }

    private bool Move(PeerLink link)
    {
        try
        {
            var moved = Send(link);
            if (!link.IsParked) moved |= Receive(link);
            return moved;
        }
        catch (IOException e)
        {
            if (Owes(link)) Fail(Lost(link.Silo, e.Message));
            // It has ended after this step, while others still exchange; a next step would find it gone.
            link.IsParked = true;
            return false;
        }
    }

    /// <summary>Whether the silo behind a link still has to give or take something in the open step.</summary>
    private bool Owes(PeerLink link)
    {
        if (link.IsSending || link.InBody || link.Outgoing.Count > 0 || !lossesGot[link.Silo]) return true;
        for (var i = 0; i < done.Length; i++)
            if (!done[i] && plan.Slices[i].Owner is var owner && (owner is ExchangePlan.Everyone || owner == link.Silo || owner == silos.Index)) return true;
        return false;
    }

    private bool Send(PeerLink link)
    {
        if (!link.IsSending)
        {
            if (!link.Outgoing.TryDequeue(out var next)) return false;
            Start(link, next);
        }
        return link.Send();
    }

    private void Start(PeerLink link, OutgoingFrame frame)
    {
        FrameHeader header = new()
        {
            Kind = frame.Kind, Partial = (ushort)frame.Partial, Job = job, Generation = (uint)silos.Generation, Step = step, Slice = frame.Slice,
            Bucket = plan.Slices[frame.Slice].Bucket, Sender = silos.Index,
        };
        switch (frame.Kind)
        {
            case FrameKind.Operand:
                header.TrailerBytes = buffers.PresenceBytes(frame.Slice);
                var operand = buffers.Operand(frame.Slice, frame.Partial, (nint)link.ScratchOut, new Span<byte>(link.TrailerOut, header.TrailerBytes));
                header.PayloadBytes = operand == 0 ? 0 : plan.Slices[frame.Slice].Length * sizeof(float);
                link.Start(header, (byte*)operand);
                break;
            case FrameKind.Sum:
                header.TrailerBytes = buffers.SumTrailerBytes(frame.Slice);
                header.PayloadBytes = plan.Slices[frame.Slice].Length * sizeof(float);
                header.Flags = frame.Partial == 1 ? FrameFlags.FoundInf : FrameFlags.None;
                buffers.WriteSumTrailer(frame.Slice, new Span<byte>(link.TrailerOut, header.TrailerBytes));
                link.Start(header, (byte*)buffers.Sum(frame.Slice));
                break;
            default:
                var run = plan.SiloRuns[silos.Index];
                header.PayloadBytes = run.Count * sizeof(double);
                buffers.Losses.AsSpan(run.Start, run.Count).CopyTo(new Span<double>(link.ScratchOut, run.Count));
                link.Start(header, link.ScratchOut);
                break;
        }
    }

    private bool Receive(PeerLink link)
    {
        bool whole;
        if (!link.InBody)
        {
            if (!link.ReceiveHeader(out whole)) return false;
            if (!whole) return true;
            Accept(link);
            if (link.IsParked) return true;
        }
        if (!link.ReceiveBody(out whole)) return false;
        if (whole) Take(link);
        return true;
    }

    /// <summary>Checks a whole header before anything is done with what it says.</summary>
    private void Accept(PeerLink link)
    {
        ref var header = ref *link.HeaderIn;
        if (header.Magic != FrameHeader.Mark || !link.IsGenuine())
        {
            Refuse(link, $"a frame that it did not seal for this place in the order (expected sequence {link.Expected}); found {header}");
            return;
        }
        if (header.Kind == FrameKind.Abort && header.PayloadBytes is > 0 and <= PeerHandshake.LongestReason)
        {
            link.Accept(link.ScratchIn);
            return;
        }
        if (header.Job != job || header.Generation != (uint)silos.Generation || header.Sender != link.Silo)
        {
            Refuse(link, $"a frame of another sender (expected job {job:x16}, generation {silos.Generation}, silo {link.Silo}); found {header}");
            return;
        }
        if (header.Step == step + 1)
        {
            // It is a step ahead; its buckets are read when this silo has opened that step.
            link.IsParked = true;
            return;
        }
        if (header.Step != step || Place(link, in header) is not { } payload) Refuse(link, $"a frame that does not belong here (step {step} is open); found {header}");
        else link.Accept((byte*)payload);
    }

    /// <returns>Where the payload belongs; null when the frame does not fit the plan or came before.</returns>
    private nint? Place(PeerLink link, in FrameHeader header)
    {
        if (header.Kind == FrameKind.Losses)
            return header.PayloadBytes == plan.SiloRuns[link.Silo].Count * sizeof(double) && header.TrailerBytes == 0 && !lossesGot[link.Silo] ? (nint)link.ScratchIn : null;
        if (header.Slice < 0 || header.Slice >= plan.Slices.Count || done[header.Slice]) return null;
        var part = plan.Slices[header.Slice];
        if (header.Bucket != part.Bucket) return null;
        var whole = header.PayloadBytes == part.Length * sizeof(float);
        switch (header.Kind)
        {
            case FrameKind.Operand:
                if (!plan.Reduces(silos.Index, header.Slice) || header.Partial >= plan.Partials[link.Silo].Count) return null;
                if (!(whole || header.PayloadBytes == 0) || header.TrailerBytes != buffers.PresenceBytes(header.Slice)) return null;
                var bit = OperandBit(link.Silo, header.Partial);
                if ((operandsGot[header.Slice] & bit) != 0) return null;
                operandsGot[header.Slice] |= bit;
                return buffers.Incoming(link.Silo, header.Partial, header.Slice);
            case FrameKind.Sum:
                return part.Owner == link.Silo && whole && header.TrailerBytes == buffers.SumTrailerBytes(header.Slice) ? buffers.Sum(header.Slice) : null;
            default:
                return null;
        }
    }

    // Beyond 64 partials in all, repeats are told by the sequence alone.
    private ulong OperandBit(int silo, int partial) => partialBase[silo] + partial < 64 ? 1UL << (partialBase[silo] + partial) : 0;

    private void Take(PeerLink link)
    {
        lastNews = Environment.TickCount64;
        ref var header = ref *link.HeaderIn;
        var trailer = new ReadOnlySpan<byte>(link.TrailerIn, header.TrailerBytes);
        switch (header.Kind)
        {
            case FrameKind.Operand:
                buffers.Arrived(link.Silo, header.Partial, header.Slice, trailer);
                OperandHere(header.Slice);
                break;
            case FrameKind.Sum:
                buffers.TakeSum(header.Slice, (header.Flags & FrameFlags.FoundInf) != 0, trailer);
                SliceDone(header.Slice);
                break;
            case FrameKind.Losses:
                var run = plan.SiloRuns[link.Silo];
                new ReadOnlySpan<double>(link.ScratchIn, run.Count).CopyTo(buffers.Losses.AsSpan(run.Start));
                lossesGot[link.Silo] = true;
                lossesLeft--;
                break;
            default:
                Fail(PeerHandshake.ReadReason(new ReadOnlySpan<byte>(link.ScratchIn, header.PayloadBytes), silos.Names[link.Silo]));
                break;
        }
    }

    /// <summary>Queues what the other silos reduce, then counts in what is reduced here.</summary>
    private void TakeRelease(int bucket)
    {
        var (first, end) = plan.SlicesOf(bucket);
        var partials = plan.Partials[silos.Index].Count;
        for (var slice = first; slice < end; slice++)
            foreach (var link in links)
                if (plan.Reduces(link.Silo, slice))
                    for (var k = 0; k < partials; k++) link.Outgoing.Enqueue(new OutgoingFrame(FrameKind.Operand, slice, k));
        for (var slice = first; slice < end; slice++)
            if (operandsMissing[slice] >= 0) OperandHere(slice);
    }

    private void OperandHere(int slice)
    {
        if (--operandsMissing[slice] > 0) return;
        var found = buffers.Fold(slice);
        if (plan.Slices[slice].Owner != ExchangePlan.Everyone)
            foreach (var link in links) link.Outgoing.Enqueue(new OutgoingFrame(FrameKind.Sum, slice, found ? 1 : 0));
        SliceDone(slice);
    }

    private void SliceDone(int slice)
    {
        done[slice] = true;
        slicesLeft--;
    }

    private bool IsFlushed()
    {
        foreach (var link in links)
            if (link.IsSending || link.Outgoing.Count > 0) return false;
        return true;
    }

    private void Refuse(PeerLink link, string what) => Fail(Error(
        ErrorCodes.Internal, link.Silo, $"silo {silos.Names[link.Silo]} sent {what}. The exchange ends before anything of it is added; update all silos to one build and resume"));

    private void Fail(JobError error)
    {
        failure ??= error;
        Farewell();
        throw new JobErrorException(failure);
    }

    private JobError Lost(int silo, string reason) => Error(
        ErrorCodes.SiloLost, silo, $"the connection to silo {silos.Names[silo]} is lost ({reason}); {Outstanding(out _)}. Look at that silo's log, then resume");

    private JobError Late(TimeSpan patience)
    {
        var what = Outstanding(out var culprit);
        return Error(ErrorCodes.Deadline, culprit, $"no news for {patience.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture)} s; {what}. Look at the late silo's log, then resume");
    }

    private JobError Error(string code, int silo, string message)
    {
        var bucket = FirstOpenBucket();
        var place = string.Create(CultureInfo.InvariantCulture, $"Step {step}, phase exchange{(bucket < 0 ? "" : $", bucket {bucket}")}, silo {silos.Names[silos.Index]}: ");
        return new JobError(code, $"{place}{message} from the last checkpoint.", silos.FirstRanks[silo], silos.Names[silo], "exchange", step);
    }

    private int FirstOpenBucket()
    {
        for (var i = 0; i < done.Length; i++)
            if (!done[i]) return plan.Slices[i].Bucket;
        return -1;
    }

    /// <summary>Who has not delivered what, and who has delivered all.</summary>
    private string Outstanding(out int culprit)
    {
        SortedSet<int> operands = [], sums = [], losses = [];
        for (var i = 0; i < done.Length; i++)
        {
            if (done[i]) continue;
            if (operandsMissing[i] < 0) sums.Add(plan.Slices[i].Owner);
            else
                for (var silo = 0; silo < plan.Silos; silo++)
                    for (var k = 0; silo != silos.Index && k < plan.Partials[silo].Count; k++)
                        if ((operandsGot[i] & OperandBit(silo, k)) == 0) operands.Add(silo);
        }
        for (var silo = 0; silo < plan.Silos; silo++)
            if (silo != silos.Index && !lossesGot[silo]) losses.Add(silo);
        // A silo that only owes sums may itself be waiting for another's operands.
        culprit = operands.Concat(sums).Concat(losses).Concat([silos.Index]).First();
        var parts = new List<string>();
        if (operands.Count > 0) parts.Add($"gradients are missing from silo {Names(operands)}");
        if (sums.Count > 0) parts.Add($"sums are missing from silo {Names(sums)}");
        if (losses.Count > 0) parts.Add($"losses are missing from silo {Names(losses)}");
        if (parts.Count == 0) parts.Add("all is here, but not all of this silo's own sums could be sent");
        var arrived = Enumerable.Range(0, plan.Silos).Where(s => s != silos.Index && !operands.Contains(s) && !sums.Contains(s) && !losses.Contains(s)).ToList();
        if (arrived.Count > 0) parts.Add($"silo {Names(arrived)} has delivered all");
        return string.Join(", ", parts);
    }

    private string Names(IEnumerable<int> which) => string.Join(", ", which.Select(s => silos.Names[s]));

    private static void WaitToSend(PeerLink link)
    {
        PollEntry entry = new() { Fd = link.Fd, Wanted = PollOut };
        _ = Poll(&entry, 1, FarewellMilliseconds);
    }

    /// <summary>Tells the others why, as far as they listen, and closes this side.</summary>
    private void Farewell()
    {
        if (ended) return;
        ended = true;
        var reason = PeerHandshake.WriteReason(failure!);
        var until = Environment.TickCount64 + FarewellMilliseconds;
        foreach (var link in links)
        {
            try
            {
                while (link.IsSending && Environment.TickCount64 < until)
                    if (!link.Send()) WaitToSend(link);
                if (!link.IsSending)
                {
                    reason.CopyTo(new Span<byte>(link.ScratchOut, reason.Length));
                    link.Start(
                        new FrameHeader { Kind = FrameKind.Abort, Job = job, Generation = (uint)silos.Generation, Step = step, Sender = silos.Index, PayloadBytes = reason.Length },
                        link.ScratchOut);
                    _ = link.Send();
                }
            }
            catch (IOException)
            {
                // Gone already: nobody is left to tell.
            }
            link.EndSending();
        }
    }
}
