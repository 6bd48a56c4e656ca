using Distributed.Core.Canonical;

namespace Distributed.Training.Exchange;

internal sealed unsafe partial class PeerExchange
{
    private bool Send(PeerLink link)
    {
        var any = false;
        while (link.CanStart)
        {
            help.Return(link.TakeRoom());
            if (!link.Outgoing.TryPeek(out var next) || !Start(link, next)) break;
            link.Outgoing.Dequeue();
            any = true;
        }
        return (link.IsSending && link.Send()) || any;
    }

    /// <returns>False: a rank is about to have what the frame carries.</returns>
    private bool Start(PeerLink link, OutgoingFrame frame)
    {
        FrameHeader header = new()
        {
            Kind = frame.Kind,
            Partial = (ushort)frame.Partial,
            Job = job,
            Generation = (uint)silos.Generation.Value,
            Step = step,
            Slice = frame.Slice,
            Bucket = plan.Slices[frame.Slice].Bucket,
            Sender = silos.Index,
        };
        switch (frame.Kind)
        {
            case FrameKind.Operand:
                header.TrailerBytes = buffers.PresenceBytes(frame.Slice);
                var bytes = plan.Slices[frame.Slice].Length * sizeof(float);
                var room = link.Reserve(bytes + header.TrailerBytes);
                if (Operand(frame, room is null ? link.ScratchOut : room, new Span<byte>(link.TrailerOut, header.TrailerBytes), link)
                    is not { } operand) return false;
                header.PayloadBytes = operand == 0 ? 0 : bytes;
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
                var report = buffers.Reports.Own;
                header.PayloadBytes = (run.Count + report.Length) * sizeof(double);
                buffers.Losses.AsSpan(run.Start, run.Count).CopyTo(new Span<double>(link.ScratchOut, run.Count));
                report.CopyTo(new Span<double>(link.ScratchOut + (run.Count * sizeof(double)), report.Length));
                link.Start(header, link.ScratchOut);
                break;
        }
        return true;
    }

    /// <returns>
    /// Where the elements of one of this silo's partials are, 0 where none is present; null while a rank is at work on it.
    /// </returns>
    private nint? Operand(OutgoingFrame frame, byte* scratch, Span<byte> presence, PeerLink link)
    {
        // What goes to all is small, and made for each link.
        if (plan.Slices[frame.Slice].Owner == ExchangePlan.Everyone)
            return buffers.Operand(frame.Slice, frame.Partial, (nint)scratch, presence);
        if (!help.TryTakeOperand(frame.Slice, frame.Partial, out var ready)) return null;
        if (ready.Room == 0) return buffers.Operand(frame.Slice, frame.Partial, (nint)scratch, presence);
        new ReadOnlySpan<byte>((void*)ready.Presence, presence.Length).CopyTo(presence);
        link.Room = ready.Room;
        return ready.Address;
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
        if (link.IsSeenWhole)
        {
            var body = link.View();
            if (body is null) return false;
            if (TryFoldThere(link, body)) return true;
        }
        if (link.IsUntouched) link.ReceiveTo((byte*)Place(link));
        if (!link.ReceiveBody(out whole)) return false;
        if (whole) Take(link);
        return true;
    }

    /// <summary>Folds a slice whose last operand lies in memory that both silos have: it is not copied.</summary>
    private bool TryFoldThere(PeerLink link, byte* body)
    {
        ref var header = ref *link.HeaderIn;
        if (header.Kind != FrameKind.Operand || operandsMissing[header.Slice] != 1 || help.IsThere) return false;
        lastNews = Environment.TickCount64;
        buffers.Lend(link.Silo, header.Partial, header.Slice, (nint)body, (nint)link.TrailerIn);
        OperandHere(header.Slice);
        link.Skip();
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
        if (header.Kind == FrameKind.Abort && header.PayloadBytes is > 0 and <= PeerHandshake.LongestReason
            && header.TrailerBytes == FrameHeader.Trailer(header.PayloadBytes, 0))
        {
            link.Accept();
            return;
        }
        if (header.Job != job || header.Generation != (uint)silos.Generation.Value || header.Sender != link.Silo)
        {
            Refuse(
                link,
                $"a frame of another sender (expected job {job:x16}, generation {silos.Generation}, silo {link.Silo}); found {header}");
            return;
        }
        if (header.Step == step + 1)
        {
            // It is a step ahead; its buckets are read when this silo has opened that step.
            link.IsParked = true;
            return;
        }
        if (header.Step != step || !Fits(link, in header))
            Refuse(link, $"a frame that does not belong here (step {step} is open); found {header}");
        else link.Accept();
    }

    /// <returns>Where the payload of a checked header belongs.</returns>
    private nint Place(PeerLink link)
    {
        ref var header = ref *link.HeaderIn;
        return header.Kind switch
        {
            FrameKind.Operand => buffers.Incoming(link.Silo, header.Partial, header.Slice),
            FrameKind.Sum => buffers.Sum(header.Slice),
            _ => (nint)link.ScratchIn,
        };
    }

    /// <summary>Whether a frame fits the plan and did not come before; an operand is noted as come.</summary>
    private bool Fits(PeerLink link, in FrameHeader header)
    {
        if (header.Kind == FrameKind.Losses)
        {
            var report = header.PayloadBytes - (plan.SiloRuns[link.Silo].Count * sizeof(double));
            return report is >= 0 and <= SiloReports.Most * sizeof(double) && report % sizeof(double) == 0
                && header.TrailerBytes == FrameHeader.Trailer(header.PayloadBytes, 0) && !lossesGot[link.Silo];
        }
        if (header.Slice < 0 || header.Slice >= plan.Slices.Count || done[header.Slice]) return false;
        var part = plan.Slices[header.Slice];
        if (header.Bucket != part.Bucket) return false;
        var whole = header.PayloadBytes == part.Length * sizeof(float);
        switch (header.Kind)
        {
            case FrameKind.Operand:
                if (!plan.Reduces(silos.Index, header.Slice) || header.Partial >= plan.Partials[link.Silo].Count) return false;
                if (!(whole || header.PayloadBytes == 0)
                    || header.TrailerBytes != FrameHeader.Trailer(header.PayloadBytes, buffers.PresenceBytes(header.Slice))) return false;
                var bit = OperandBit(link.Silo, header.Partial);
                if ((operandsGot[header.Slice] & bit) != 0) return false;
                operandsGot[header.Slice] |= bit;
                return true;
            case FrameKind.Sum:
                return part.Owner == link.Silo && whole
                    && header.TrailerBytes == FrameHeader.Trailer(header.PayloadBytes, buffers.SumTrailerBytes(header.Slice));
            default:
                return false;
        }
    }

    // Beyond 64 partials in all, repeats are told by the sequence alone.
    private ulong OperandBit(int silo, int partial) => partialBase[silo] + partial < 64 ? 1UL << (partialBase[silo] + partial) : 0;

    /// <summary>Whether all of a silo's operands of a slice are here: another's by its frames, this one's by its release.</summary>
    private bool HasOperands(int slice, int silo)
    {
        for (var k = 0; k < plan.Partials[silo].Count; k++)
            if ((operandsGot[slice] & OperandBit(silo, k)) == 0) return false;
        return true;
    }

    private void Take(PeerLink link)
    {
        lastNews = Environment.TickCount64;
        ref var header = ref *link.HeaderIn;
        switch (header.Kind)
        {
            case FrameKind.Operand:
                buffers.Arrived(
                    link.Silo, header.Partial, header.Slice, new ReadOnlySpan<byte>(link.TrailerIn, buffers.PresenceBytes(header.Slice)));
                OperandHere(header.Slice);
                break;
            case FrameKind.Sum:
                buffers.TakeSum(header.Slice, (header.Flags & FrameFlags.FoundInf) != 0, new ReadOnlySpan<byte>(
                    link.TrailerIn, buffers.SumTrailerBytes(header.Slice)));
                SliceDone(header.Slice);
                break;
            case FrameKind.Losses:
                var run = plan.SiloRuns[link.Silo];
                var values = new ReadOnlySpan<double>(link.ScratchIn, header.PayloadBytes / sizeof(double));
                values[..run.Count].CopyTo(buffers.Losses.AsSpan(run.Start));
                buffers.Reports.BySilo[link.Silo] = values[run.Count..].ToArray();
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
        buffers.Gather();
        for (var slice = first; slice < end; slice++)
        {
            foreach (var link in links)
                if (plan.Reduces(link.Silo, slice))
                    for (var k = 0; k < partials; k++) link.Outgoing.Enqueue(new OutgoingFrame(FrameKind.Operand, slice, k));
            if (plan.Slices[slice].Owner is var owner && owner != ExchangePlan.Everyone && owner != silos.Index) help.OfferOperands(slice);
        }
        for (var slice = first; slice < end; slice++)
        {
            for (var k = 0; k < partials; k++) operandsGot[slice] |= OperandBit(silos.Index, k);
            if (operandsMissing[slice] >= 0) OperandHere(slice);
        }
    }

    private void OperandHere(int slice)
    {
        if (--operandsMissing[slice] > 0) return;
        if (help.IsThere) help.OfferFold(slice);
        else Folded(slice, buffers.Fold(slice));
    }

    private bool TakeHelp()
    {
        var any = false;
        for (; help.TryTakeFolded(out var slice, out var found); any = true) Folded(slice, found);
        return any;
    }

    private void Folded(int slice, bool found)
    {
        buffers.Folded(slice);
        if (plan.Slices[slice].Owner != ExchangePlan.Everyone)
            foreach (var link in links) link.Outgoing.Enqueue(new OutgoingFrame(FrameKind.Sum, slice, found ? 1 : 0));
        SliceDone(slice);
    }

    private void SliceDone(int slice)
    {
        done[slice] = true;
        slicesLeft--;
    }
}
