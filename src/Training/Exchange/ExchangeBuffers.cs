using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Distributed.Core.Canonical;
using Distributed.Training.Kernels;
using Distributed.Training.Reduction;

namespace Distributed.Training.Exchange;

/// <summary>The silo's side of an exchange: where operands come from, where sums go, and the arithmetic between, slice by slice.</summary>
/// <remarks>
/// Used by one thread at a time, the one that moves the exchange on; the ranks fill <see cref="Local"/> and <see cref="Losses"/> before
/// they release. A parameter without gradient is marked absent (a bit for each parameter that a slice touches), so that sums have the
/// bits they have on one silo.
/// </remarks>
public sealed unsafe class ExchangeBuffers : IDisposable
{
    private readonly FlatRange[] ranges;
    private readonly (int First, int End)[] touching;
    private readonly HostReducer reducer;
    private readonly nint reduced;
    private readonly FoldProgram[] localPrograms;
    private readonly (int First, int End)[] localPieces;
    private readonly FoldProgram program;
    private readonly GradientPartial[] operands;
    private readonly GradientPartial?[][] incoming;
    private readonly OperandStaging staging;
    private readonly int localOperands;
    private readonly List<GradientPartial> pieces = [];
    private GradientFactors factors;
    private bool gathered;

    /// <param name="ranges">Where the parameters lie.</param>
    /// <param name="rankRuns">Micro-batches by rank of this silo, in order.</param>
    /// <param name="reduced">Flat FP32 buffer for the result; its padding must be zero.</param>
    internal ExchangeBuffers(
        ExchangeSilos silos, ExchangePlan plan, FlatRange[] ranges, IReadOnlyList<MicroBatchRun> rankRuns, int parameters, long elements, nint reduced)
    {
        (Silos, Plan, this.ranges, this.reduced) = (silos, plan, ranges, reduced);
        touching = [.. plan.Slices.Select(s => FlatRange.Touching(ranges, new BlockRun(s.Start, s.End)))];
        reducer = new HostReducer(ranges);
        Local = new IReadOnlyList<GradientPartial>[rankRuns.Count];
        Losses = new double[plan.SiloRuns[^1].End];
        OwnReport = new double[6 * Math.Min(rankRuns.Count, MostReported / 6)];
        Reports = [.. Enumerable.Range(0, plan.Silos).Select(_ => Array.Empty<double>())];
        Touched = new bool[parameters];
        BlockNorms = new double[BlockPlan.Blocks(elements)];

        var own = rankRuns.SelectMany(CanonicalTree.Partials).ToList();
        localPieces = [.. plan.Partials[silos.Index].Select(p => (own.FindIndex(o => o.Start >= p.Start), own.FindLastIndex(o => o.End <= p.End) + 1))];
        localPrograms = [.. plan.Partials[silos.Index].Select((p, k) =>
            FoldProgram.For(own[localPieces[k].First..localPieces[k].End].Select(o => (o.Start - p.Start, o.End - p.Start))))];

        var all = new List<MicroBatchRun>();
        incoming = new GradientPartial?[plan.Silos][];
        staging = new OperandStaging(plan, Enumerable.Range(0, plan.Slices.Count).Max(PresenceBytes));
        var ordered = new List<GradientPartial>();
        for (var silo = 0; silo < plan.Silos; silo++)
        {
            incoming[silo] = new GradientPartial?[plan.Partials[silo].Count];
            if (silo == silos.Index)
            {
                localOperands = all.Count;
                all.AddRange(own);
                ordered.AddRange(own.Select(_ => (GradientPartial)null!));
                continue;
            }
            for (var k = 0; k < plan.Partials[silo].Count; k++)
            {
                var run = plan.Partials[silo][k];
                ordered.Add(incoming[silo][k] = new GradientPartial(run.Start, run.End, parameters));
                all.Add(run);
            }
        }
        operands = [.. ordered];
        program = FoldProgram.For(all.Select(r => (r.Start, r.End)));
    }

    /// <summary>Who takes part; the fingerprint is set before the exchange is opened.</summary>
    public ExchangeSilos Silos { get; internal set; }

    public ExchangePlan Plan { get; }

    /// <summary>By micro-batch of the global batch: sum of the sample losses; own ones by the ranks, the others by the exchange.</summary>
    public double[] Losses { get; }

    /// <summary>Numbers of this silo that go with its losses, for the other silos to report: at most <see cref="MostReported"/>.</summary>
    internal double[] OwnReport { get; }

    /// <summary>By silo: the numbers that came with its last losses; empty before.</summary>
    internal double[][] Reports { get; }

    /// <value>Numbers that a silo may send along with its losses.</value>
    internal const int MostReported = 6 * 64;

    /// <summary>By local rank: the partials its run merged to; set by the rank before it releases its first bucket.</summary>
    internal IReadOnlyList<GradientPartial>[] Local { get; }

    /// <summary>By parameter: some micro-batch gave it a gradient.</summary>
    internal bool[] Touched { get; }

    /// <summary>By block: sum of squares of the unscaled mean gradient.</summary>
    internal double[] BlockNorms { get; }

    /// <value>A scaled sum is not finite.</value>
    internal bool FoundInf { get; private set; }

    /// <summary>What multiplies the sums of the open step.</summary>
    public GradientFactors Factors => factors;

    /// <summary>Opens a step.</summary>
    public void Begin(GradientFactors stepFactors)
    {
        factors = stepFactors;
        gathered = false;
        FoundInf = false;
        Array.Clear(Touched);
    }

    /// <value>Bytes that say which parameters of a slice are present: whole 64-bit words.</value>
    public int PresenceBytes(int slice) => SliceTrailer.PresenceBytes(touching[slice].End - touching[slice].First);

    /// <value>Bytes beside a slice's sum: presence, then a norm (FP64, little-endian) for each block.</value>
    public int SumTrailerBytes(int slice) => SliceTrailer.SumBytes(touching[slice].End - touching[slice].First, Plan.Slices[slice].Length);

    /// <summary>What another place needs to know to reduce slices for all silos.</summary>
    public SliceLayout Layout() => new(BlockNorms.LongLength * BlockPlan.BlockElements, Plan.SiloRuns, [.. ranges.Select(r => (r.Offset, r.Count))]);

    /// <summary>One of this silo's partials of a slice.</summary>
    /// <param name="scratch">Room for the slice, FP32, 64-byte aligned.</param>
    /// <param name="presence">Gets the presence bits; <see cref="PresenceBytes"/> long.</param>
    /// <returns>Address of the FP32 elements, in <paramref name="scratch"/> or in a gradient itself; 0 when nothing is present.</returns>
    public nint Operand(int slice, int partial, nint scratch, Span<byte> presence)
    {
        Gather();
        var (firstPiece, endPiece) = localPieces[partial];
        var mine = CollectionsMarshal.AsSpan(pieces)[firstPiece..endPiece];
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
        if (mine.Length == 1 && end - first == 1 && !mine[0].Sources[ranges[first].Parameter].IsBFloat16 && ranges[first].Offset <= part.Start && ranges[first].End >= part.End)
            return mine[0].Sources[ranges[first].Parameter].Address + (nint)((part.Start - ranges[first].Offset) * sizeof(float));
        reducer.Sum(new BlockRun(part.Start, part.End), new ArraySegment<GradientPartial>([.. mine]), localPrograms[partial], scratch);
        return scratch;
    }

    /// <summary>Where another silo's partial of a slice that this silo reduces belongs: room for the slice, FP32, until it is folded.</summary>
    public nint Incoming(int silo, int partial, int slice) => staging.Rent(silo, partial, slice);

    /// <summary>Another silo's partial of a slice has come whole to its place.</summary>
    public void Arrived(int silo, int partial, int slice, ReadOnlySpan<byte> presence) => presence.CopyTo(staging.Presence(silo, partial, slice));

    /// <summary>Reduces a slice whose operands are all here; the result stands at <see cref="Sum"/>.</summary>
    /// <returns>Whether a scaled sum in it is not finite.</returns>
    public bool Fold(int slice)
    {
        Gather();
        for (var silo = 0; silo < incoming.Length; silo++)
            for (var k = 0; k < incoming[silo].Length; k++)
                if (incoming[silo][k] is { } operand) PointAt(operand, silo, k, slice);
        var part = Plan.Slices[slice];
        var found = reducer.Reduce(new BlockRun(part.Start, part.End), operands, program, factors, reduced, BlockNorms);
        FoundInf |= found;
        var (first, end) = touching[slice];
        for (var i = first; i < end; i++)
            foreach (var operand in operands) Touched[ranges[i].Parameter] |= !operand.Sources[ranges[i].Parameter].IsNone;
        return found;
    }

    /// <summary>Where the slice's part of the reduced gradient lies, FP32.</summary>
    public nint Sum(int slice) => reduced + (nint)(Plan.Slices[slice].Start * sizeof(float));

    /// <summary>Writes what goes beside the sum of a slice that this silo has reduced.</summary>
    public void WriteSumTrailer(int slice, Span<byte> trailer)
    {
        var (first, end) = touching[slice];
        trailer.Clear();
        for (var i = first; i < end; i++)
            if (Touched[ranges[i].Parameter]) SliceTrailer.Mark(trailer, i - first);
        var norms = trailer[PresenceBytes(slice)..];
        var firstBlock = (int)(Plan.Slices[slice].Start / BlockPlan.BlockElements);
        for (var b = 0; b < norms.Length / sizeof(double); b++)
            BinaryPrimitives.WriteDoubleLittleEndian(norms[(b * sizeof(double))..], BlockNorms[firstBlock + b]);
    }

    /// <summary>The sum of a slice that another silo reduced has been written to <see cref="Sum"/>; takes what came beside it.</summary>
    public void TakeSum(int slice, bool found, ReadOnlySpan<byte> trailer)
    {
        FoundInf |= found;
        var (first, end) = touching[slice];
        for (var i = first; i < end; i++) Touched[ranges[i].Parameter] |= SliceTrailer.Has(trailer, i - first);
        var norms = trailer[PresenceBytes(slice)..];
        var firstBlock = (int)(Plan.Slices[slice].Start / BlockPlan.BlockElements);
        for (var b = 0; b < norms.Length / sizeof(double); b++)
            BlockNorms[firstBlock + b] = BinaryPrimitives.ReadDoubleLittleEndian(norms[(b * sizeof(double))..]);
    }

    public void Dispose()
    {
        reducer.Dispose();
        staging.Dispose();
    }

    /// <summary>Has an operand's sources lead to where the slice's elements lie, and gives the room back: nothing takes it before they are added.</summary>
    private void PointAt(GradientPartial operand, int silo, int partial, int slice)
    {
        var presence = staging.Presence(silo, partial, slice);
        var flat = staging.Payload(silo, partial, slice) - (nint)(Plan.Slices[slice].Start * sizeof(float));
        var (first, end) = touching[slice];
        for (var i = first; i < end; i++)
            operand.Sources[ranges[i].Parameter] = SliceTrailer.Has(presence, i - first) ? new GradientSource(flat + (nint)(ranges[i].Offset * sizeof(float)), false) : default;
        staging.Return(silo, partial, slice);
    }

    private void Gather()
    {
        if (gathered) return;
        gathered = true;
        pieces.Clear();
        foreach (var rank in Local) pieces.AddRange(rank);
        for (var i = 0; i < pieces.Count; i++) operands[localOperands + i] = pieces[i];
    }
}

/// <summary>The silos of a generation as one of them sees them.</summary>
/// <param name="Names">In rank order.</param>
/// <param name="Index">This silo's place.</param>
/// <param name="FirstRanks">By silo: its first rank.</param>
/// <param name="Fingerprint">Everything that must be equal in all silos for equal bits, in words.</param>
/// <param name="RanksHere">Ranks of this silo.</param>
public sealed record ExchangeSilos(
    string JobId, int Generation, IReadOnlyList<string> Names, int Index, IReadOnlyList<int> FirstRanks, string Fingerprint, int RanksHere)
{
    public int Count => Names.Count;
}
