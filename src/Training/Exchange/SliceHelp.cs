using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Distributed.Core.Canonical;
using Distributed.Training.Ranks;

namespace Distributed.Training.Exchange;

/// <summary>
/// Sums that ranks make while they wait for an exchange: slices whose operands are all here, and partials that are next to be sent.
/// </summary>
/// <remarks>
/// The mover (the thread that holds the pump of a <see cref="PeerExchange"/>) offers work and takes results; ranks at the barrier pick it
/// up. The mover waits for nobody: it does itself what no rank has taken yet. Room for partials made ahead is bounded.
/// </remarks>
internal sealed unsafe class SliceHelp : IDisposable
{
    private const int Idle = 0;
    private const int Taken = 1;
    private const int Ready = 2;
    private const int RoomsPerRank = 2;

    private readonly ExchangeBuffers buffers;
    private readonly RankBarrier barrier;
    private readonly Action wakeMover;
    private readonly int ranks;
    private readonly int partials;
    private readonly ConcurrentQueue<int> folds = new();
    private readonly ConcurrentQueue<(int Slice, bool Found)> folded = new();
    private readonly ConcurrentQueue<int> operands = new();
    private readonly ConcurrentStack<nint> free = new();
    private readonly List<nint> rooms = [];
    private readonly int[] states;
    private readonly Prepared[] prepared;
    private readonly int payloadBytes;
    private int waiting;
    private int results;
    private int resultsSeen;

    /// <param name="isOn">Ranks have a core to help with; otherwise nothing is offered.</param>
    /// <param name="wakeMover">Called after each result; wakes the mover if it sleeps.</param>
    public SliceHelp(ExchangeBuffers buffers, RankBarrier barrier, bool isOn, Action wakeMover)
    {
        (this.buffers, this.barrier, this.wakeMover) = (buffers, barrier, wakeMover);
        var plan = buffers.Plan;
        (ranks, partials) = (buffers.Silos.RanksHere, plan.Partials[buffers.Silos.Index].Count);
        IsOn = isOn && ranks > 1;
        states = new int[IsOn ? plan.Slices.Count * partials : 0];
        prepared = new Prepared[states.Length];
        if (!IsOn) return;
        payloadBytes = plan.LongestSlice * sizeof(float);
        var presenceBytes = Enumerable.Range(0, plan.Slices.Count).Max(buffers.PresenceBytes);
        for (var i = 0; i < RoomsPerRank * ranks; i++)
            rooms.Add((nint)NativeMemory.AlignedAlloc((nuint)(payloadBytes + presenceBytes), 64));
    }

    public bool IsOn { get; }

    /// <value>A rank is at the barrier or on its way there, and takes what is offered.</value>
    public bool IsThere => IsOn && Volatile.Read(ref waiting) > 0;

    /// <value>Results have come that the mover has not looked at.</value>
    public bool HasNews => Volatile.Read(ref results) != resultsSeen;

    /// <summary>Forgets the step before; no rank is helping then.</summary>
    public void Begin()
    {
        if (!IsOn) return;
        folds.Clear();
        folded.Clear();
        operands.Clear();
        Array.Clear(states);
        waiting = 0;
        free.Clear();
        foreach (var room in rooms) free.Push(room);
    }

    /// <summary>A rank has come to the exchange and waits.</summary>
    public void Join() => Interlocked.Increment(ref waiting);

    /// <summary>A slice's operands are all here; the sum comes back by <see cref="TryTakeFolded"/>.</summary>
    public void OfferFold(int slice)
    {
        folds.Enqueue(slice);
        barrier.Nudge();
    }

    /// <summary>This silo's partials of a slice will be sent.</summary>
    public void OfferOperands(int slice)
    {
        if (!IsOn) return;
        for (var k = 0; k < partials; k++) operands.Enqueue((slice * partials) + k);
        if (IsThere) barrier.Nudge();
    }

    /// <summary>The mover has looked at all results so far.</summary>
    public void See() => resultsSeen = Volatile.Read(ref results);

    /// <summary>Takes a sum that a rank has made.</summary>
    public bool TryTakeFolded(out int slice, out bool found)
    {
        var any = folded.TryDequeue(out var result);
        (slice, found) = result;
        return any;
    }

    /// <summary>Whether the mover may make a partial itself; afterwards no rank will.</summary>
    /// <param name="ready">What a rank has made of it already; default: nothing.</param>
    /// <returns>False: a rank is about to have it.</returns>
    public bool TryTakeOperand(int slice, int partial, out Prepared ready)
    {
        ready = default;
        if (!IsOn) return true;
        var index = (slice * partials) + partial;
        var state = Interlocked.CompareExchange(ref states[index], Taken, Idle);
        if (state == Idle) return true;
        if (state == Taken) return false;
        ready = prepared[index];
        return true;
    }

    /// <summary>A partial that a rank made is out; its room may be used again.</summary>
    public void Return(nint room)
    {
        if (room == 0) return;
        free.Push(room);
        if (!operands.IsEmpty) barrier.Nudge();
    }

    /// <summary>Makes one sum, if there is one to make.</summary>
    /// <param name="rank">Place of the caller among the silo's ranks.</param>
    public bool TryWork(int rank)
    {
        if (folds.TryDequeue(out var slice))
        {
            folded.Enqueue((slice, buffers.Fold(slice, rank + 1)));
            Tell();
            return true;
        }
        while (!operands.IsEmpty && free.TryPop(out var room))
        {
            if (!operands.TryDequeue(out var index))
            {
                free.Push(room);
                return false;
            }
            if (Interlocked.CompareExchange(ref states[index], Taken, Idle) != Idle)
            {
                free.Push(room);
                continue;
            }
            var presence = new Span<byte>((void*)(room + payloadBytes), buffers.PresenceBytes(index / partials));
            prepared[index] = new Prepared(
                room, buffers.Operand(index / partials, index % partials, room, presence, rank + 1), room + payloadBytes);
            Volatile.Write(ref states[index], Ready);
            Tell();
            return true;
        }
        return false;
    }

    /// <summary>Makes one sum at the mover's own seat: nothing else can move.</summary>
    public bool TryFold(out int slice, out bool found)
    {
        found = false;
        if (!folds.TryDequeue(out slice)) return false;
        found = buffers.Fold(slice);
        return true;
    }

    public void Dispose()
    {
        foreach (var room in rooms) NativeMemory.AlignedFree((void*)room);
        rooms.Clear();
        free.Clear();
    }

    private void Tell()
    {
        Interlocked.Increment(ref results);
        wakeMover();
    }

    /// <summary>A partial that a rank has made.</summary>
    /// <param name="Room">To be returned when the partial is out.</param>
    /// <param name="Address">Of its FP32 elements; 0 where no gradient is present.</param>
    /// <param name="Presence">Address of its presence bits.</param>
    [StructLayout(LayoutKind.Auto)]
    public readonly record struct Prepared(nint Room, nint Address, nint Presence);
}
