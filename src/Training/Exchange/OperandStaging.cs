using System.Runtime.InteropServices;
using Distributed.Core.Canonical;

namespace Distributed.Training.Exchange;

/// <summary>Room for other silos' partials of the slices that are being reduced. Used by one thread at a time.</summary>
/// <remarks>
/// The room that was given back last is taken first: most likely it still lies in the cache, and few rooms are ever touched.
/// </remarks>
internal sealed unsafe class OperandStaging : IDisposable
{
    private readonly Stack<nint> free = new();
    private readonly List<nint> all = [];
    private readonly nint[] places;
    private readonly int[] firstOperand;
    private readonly int slices;
    private readonly int payloadBytes;
    private readonly int presenceBytes;

    /// <param name="presenceBytes">Of the slice that touches most parameters.</param>
    public OperandStaging(ExchangePlan plan, int presenceBytes)
    {
        slices = plan.Slices.Count;
        (payloadBytes, this.presenceBytes) = (plan.LongestSlice * sizeof(float), presenceBytes);
        firstOperand = new int[plan.Silos + 1];
        for (var silo = 0; silo < plan.Silos; silo++) firstOperand[silo + 1] = firstOperand[silo] + plan.Partials[silo].Count;
        places = new nint[firstOperand[^1] * slices];
    }

    /// <returns>Address of room for the slice, FP32, 64-byte aligned; kept until <see cref="Return"/>.</returns>
    public nint Rent(int silo, int partial, int slice)
    {
        if (!free.TryPop(out var place)) all.Add(place = (nint)NativeMemory.AlignedAlloc((nuint)(payloadBytes + presenceBytes), 64));
        return places[Index(silo, partial, slice)] = place;
    }

    /// <returns>Address of the room rented before.</returns>
    public nint Payload(int silo, int partial, int slice) => places[Index(silo, partial, slice)];

    /// <returns>The presence bits beside the room rented before.</returns>
    public Span<byte> Presence(int silo, int partial, int slice) =>
        new((void*)(Payload(silo, partial, slice) + payloadBytes), presenceBytes);

    public void Return(int silo, int partial, int slice) => free.Push(Payload(silo, partial, slice));

    public void Dispose()
    {
        foreach (var place in all) NativeMemory.AlignedFree((void*)place);
        all.Clear();
        free.Clear();
    }

    private int Index(int silo, int partial, int slice) => ((firstOperand[silo] + partial) * slices) + slice;
}
