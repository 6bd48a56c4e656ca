using System.Buffers.Binary;
using Distributed.Core.Canonical;
using Distributed.Training.Devices;
using Distributed.Training.Kernels;
using Distributed.Training.Reduction;

namespace Distributed.Training.Exchange;

/// <summary>
/// The silo's side of an exchange with others: where operands come from, where sums go, and the arithmetic between, slice by slice.
/// </summary>
/// <remarks>
/// Used by one thread at a time, the one that moves the exchange on, but for sums at seats of their own (see <see cref="Fold"/> and
/// <see cref="Operand"/>). A parameter without gradient is marked absent (a bit for each parameter that a slice touches), so that sums have
/// the bits they have on one silo.
/// </remarks>
public sealed unsafe class ExchangeBuffers : IDisposable
{
    private readonly ExchangeJob job;
    private readonly FlatRange[] ranges;
    private readonly (int First, int End)[] touching;
    private readonly FoldProgram[] localPrograms;
    private readonly (int First, int End)[] localPieces;
    private readonly FoldProgram program;
    private readonly Seat?[] seats;
    private readonly List<MicroBatchRun> all;
    private readonly OperandStaging staging;
    private readonly int localOperands;
    private GradientPartial[] pieces = [];
    private GradientFactors factors;
    private bool gathered;

    public ExchangeBuffers(ExchangeJob job)
    {
        this.job = job;
        Plan = ExchangePlan.For(job.Reduced.Elements, job.SiloRuns);
        Reports = new SiloReports(Silos.RanksHere, Plan.Silos);
        ranges = job.Ranges;
        touching = [.. Plan.Slices.Select(s => FlatRange.Touching(ranges, new BlockRun(s.Start, s.End)))];

        var own = job.OwnRuns.SelectMany(CanonicalTree.Partials).ToList();
        localPieces = [.. Plan.Partials[Silos.Index].Select(
            p => (own.FindIndex(o => o.Start >= p.Start), own.FindLastIndex(o => o.End <= p.End) + 1))];
        localPrograms = [.. Plan.Partials[Silos.Index].Select((p, k) =>
            FoldProgram.For(own[localPieces[k].First..localPieces[k].End].Select(o => (o.Start - p.Start, o.End - p.Start))))];

        staging = new OperandStaging(Plan, Enumerable.Range(0, Plan.Slices.Count).Max(PresenceBytes));
        all = [.. Enumerable.Range(0, Plan.Silos).SelectMany(silo => silo == Silos.Index ? own : Plan.Partials[silo])];
        localOperands = Plan.Partials.Take(Silos.Index).Sum(p => p.Count);
        program = FoldProgram.For(all.Select(r => (r.Start, r.End)));
        seats = new Seat?[Silos.RanksHere + 1];
    }

    /// <summary>Who takes part.</summary>
    public ExchangeSilos Silos => job.Silos;

    public ExchangePlan Plan { get; }

    /// <inheritdoc cref="IGradientExchange.Reports"/>
    public SiloReports Reports { get; }

    /// <summary>By micro-batch of the global batch: sum of the sample losses; own ones by the ranks, the others by the exchange.</summary>
    public double[] Losses => job.Reduced.Losses;

    /// <summary>What multiplies the sums of the open step.</summary>
    public GradientFactors Factors => factors;

    /// <summary>Opens a step.</summary>
    public void Begin(GradientFactors stepFactors)
    {
        factors = stepFactors;
        gathered = false;
        job.Reduced.Begin();
    }

    /// <value>Bytes that say which parameters of a slice are present: whole 64-bit words.</value>
    public int PresenceBytes(int slice) => SliceTrailer.PresenceBytes(touching[slice].End - touching[slice].First);

    /// <value>Bytes beside a slice's sum: presence, then a norm (FP64, little-endian) for each block.</value>
    public int SumTrailerBytes(int slice) => SliceTrailer.SumBytes(touching[slice].End - touching[slice].First, Plan.Slices[slice].Length);

    /// <summary>What another place needs to know to reduce slices for all silos.</summary>
    public SliceLayout Layout() => new(job.Reduced.Elements, Plan.SiloRuns, [.. ranges.Select(r => (r.Offset, r.Count))]);

    /// <summary>Takes what the ranks bring to the open step: before it is summed, when the last micro-batch of each has begun.</summary>
    public void Gather()
    {
        if (gathered) return;
        gathered = true;
        pieces = [.. job.Partials.SelectMany(p => p)];
    }

    /// <summary>One of this silo's partials of a slice.</summary>
    /// <param name="scratch">Room for the slice, FP32, 64-byte aligned.</param>
    /// <param name="presence">Gets the presence bits; <see cref="PresenceBytes"/> long.</param>
    /// <param name="seat">
    /// Whose tools are used: 0 the mover's, from 1 on those of the silo's ranks. Threads at different seats work side by side.
    /// </param>
    /// <returns>Address of the FP32 elements, in <paramref name="scratch"/> or in a gradient itself; 0 when nothing is present.</returns>
    public nint Operand(int slice, int partial, nint scratch, Span<byte> presence, int seat = 0)
    {
        Gather();
        var (firstPiece, endPiece) = localPieces[partial];
        var mine = new ArraySegment<GradientPartial>(pieces, firstPiece, endPiece - firstPiece);
        var (first, end) = touching[slice];
        presence.Clear();
        var any = false;
        for (var i = first; i < end; i++)
        {
            var present = false;
            foreach (var piece in mine) present |= !piece.Sources[ranges[i].Parameter].IsNone;
            if (!present) continue;
            any = true;
            SliceTrailer.Mark(presence, i - first);
        }
        if (!any) return 0;
        var part = Plan.Slices[slice];
        if (mine.Count == 1 && end - first == 1 && !mine[0].Sources[ranges[first].Parameter].IsBFloat16
            && ranges[first].Offset <= part.Start && ranges[first].End >= part.End)
            return mine[0].Sources[ranges[first].Parameter].Address + (nint)((part.Start - ranges[first].Offset) * sizeof(float));
        At(seat).Reducer.Sum(new BlockRun(part.Start, part.End), mine, localPrograms[partial], scratch);
        return scratch;
    }

    /// <summary>
    /// Where another silo's partial of a slice that this silo reduces belongs: room for the slice, FP32, until it is folded.
    /// </summary>
    public nint Incoming(int silo, int partial, int slice) => staging.Rent(silo, partial, slice);

    /// <summary>Another silo's partial of a slice is here and stays where it is until the slice is folded, which is next.</summary>
    /// <param name="payload">Address of its FP32 elements.</param>
    /// <param name="presence">Address of its presence bits; as long as those of any slice.</param>
    public void Lend(int silo, int partial, int slice, nint payload, nint presence) =>
        staging.Lend(silo, partial, slice, payload, presence);

    /// <summary>Another silo's partial of a slice has come whole to its place.</summary>
    public void Arrived(int silo, int partial, int slice, ReadOnlySpan<byte> presence) =>
        presence.CopyTo(staging.Presence(silo, partial, slice));

    /// <summary>
    /// Reduces a slice whose operands are all here; the result is at <see cref="Sum"/>. <see cref="Folded"/> must follow.
    /// </summary>
    /// <param name="seat">As for <see cref="Operand"/>; slices at different seats are reduced side by side.</param>
    /// <returns>Whether a scaled sum in it is not finite.</returns>
    public bool Fold(int slice, int seat = 0)
    {
        Gather();
        var (reducer, operands) = (At(seat).Reducer, At(seat).Operands);
        pieces.CopyTo(operands, localOperands);
        for (int silo = 0, operand = 0; silo < Plan.Silos; silo++)
        {
            if (silo == Silos.Index) operand += pieces.Length;
            else
                for (var k = 0; k < Plan.Partials[silo].Count; k++) PointAt(operands[operand++], silo, k, slice);
        }
        var part = Plan.Slices[slice];
        var found = reducer.Reduce(
            new BlockRun(part.Start, part.End), operands, program, factors, job.Reduced.Address, job.Reduced.BlockNorms);
        if (found) job.Reduced.MarkNonFinite();
        var (first, end) = touching[slice];
        for (var i = first; i < end; i++)
            if (Array.Exists(operands, o => !o.Sources[ranges[i].Parameter].IsNone)) job.Reduced.Touched[ranges[i].Parameter] = true;
        return found;
    }

    /// <summary>Gives back the room of a reduced slice's operands; by the mover.</summary>
    public void Folded(int slice)
    {
        for (var silo = 0; silo < Plan.Silos; silo++)
            for (var k = 0; silo != Silos.Index && k < Plan.Partials[silo].Count; k++) staging.Return(silo, k, slice);
    }

    /// <summary>Where the slice's part of the reduced gradient lies, FP32.</summary>
    public nint Sum(int slice) => job.Reduced.Address + (nint)(Plan.Slices[slice].Start * sizeof(float));

    /// <summary>Writes what goes beside the sum of a slice that this silo has reduced.</summary>
    public void WriteSumTrailer(int slice, Span<byte> trailer)
    {
        var (first, end) = touching[slice];
        trailer.Clear();
        for (var i = first; i < end; i++)
            if (job.Reduced.Touched[ranges[i].Parameter]) SliceTrailer.Mark(trailer, i - first);
        var norms = trailer[PresenceBytes(slice)..];
        var firstBlock = (int)(Plan.Slices[slice].Start / BlockPlan.BlockElements);
        for (var b = 0; b < norms.Length / sizeof(double); b++)
            BinaryPrimitives.WriteDoubleLittleEndian(norms[(b * sizeof(double))..], job.Reduced.BlockNorms[firstBlock + b]);
    }

    /// <summary>The sum of a slice that another silo reduced has been written to <see cref="Sum"/>; takes what came beside it.</summary>
    public void TakeSum(int slice, bool found, ReadOnlySpan<byte> trailer)
    {
        if (found) job.Reduced.MarkNonFinite();
        var (first, end) = touching[slice];
        for (var i = first; i < end; i++)
            if (SliceTrailer.Has(trailer, i - first)) job.Reduced.Touched[ranges[i].Parameter] = true;
        var norms = trailer[PresenceBytes(slice)..];
        var firstBlock = (int)(Plan.Slices[slice].Start / BlockPlan.BlockElements);
        for (var b = 0; b < norms.Length / sizeof(double); b++)
            job.Reduced.BlockNorms[firstBlock + b] = BinaryPrimitives.ReadDoubleLittleEndian(norms[(b * sizeof(double))..]);
    }

    public void Dispose()
    {
        foreach (var seat in seats) seat?.Dispose();
        staging.Dispose();
    }

    /// <summary>Made when its thread first needs it: where ranks do not help, one is enough.</summary>
    private Seat At(int seat) => seats[seat] ??= new Seat(ranges, all, localOperands, pieces.Length, job.Device);

    /// <summary>Has an operand's sources lead to where the slice's elements are.</summary>
    private void PointAt(GradientPartial operand, int silo, int partial, int slice)
    {
        var presence = staging.Presence(silo, partial, slice);
        var flat = staging.Payload(silo, partial, slice) - (nint)(Plan.Slices[slice].Start * sizeof(float));
        var (first, end) = touching[slice];
        for (var i = first; i < end; i++)
            operand.Sources[ranges[i].Parameter] = SliceTrailer.Has(presence, i - first)
                ? new GradientSource(flat + (nint)(ranges[i].Offset * sizeof(float)), false)
                : default;
    }

    /// <summary>What one thread needs to sum slices.</summary>
    private sealed class Seat(FlatRange[] ranges, IReadOnlyList<MicroBatchRun> operands, int firstOwn, int own, IDeviceRuntime device)
        : IDisposable
    {
        public BlockReducer Reducer { get; } = new(ranges, device);

        /// <summary>
        /// The partials of all silos, in rank order: own ones are taken anew, those of other silos lead to the slice at hand.
        /// </summary>
        public GradientPartial[] Operands { get; } =
            [.. operands.Select(
                (run, i) => i >= firstOwn && i < firstOwn + own ? null! : new GradientPartial(run.Start, run.End, ranges.Length))];

        public void Dispose() => Reducer.Dispose();
    }
}
