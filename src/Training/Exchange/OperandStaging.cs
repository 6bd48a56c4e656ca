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
    private readonly nint[] presences;
    private readonly bool[] lent;
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
        presences = new nint[places.Length];
        lent = new bool[places.Length];
    }

    /// <returns>Address of room for the slice, FP32, 64-byte aligned; kept until <see cref="Return"/>.</returns>
    public nint Rent(int silo, int partial, int slice)
    {
        if (!free.TryPop(out var place)) all.Add(place = (nint)NativeMemory.AlignedAlloc((nuint)(payloadBytes + presenceBytes), 64));
        Put(Index(silo, partial, slice), place, place + payloadBytes, isLent: false);
        return place;
    }

    /// <summary>A partial that lies elsewhere, until <see cref="Return"/>.</summary>
    /// <param name="presence">Address of its presence bits.</param>
    public void Lend(int silo, int partial, int slice, nint payload, nint presence) =>
        Put(Index(silo, partial, slice), payload, presence, isLent: true);

    /// <returns>Address of the partial.</returns>
    public nint Payload(int silo, int partial, int slice) => places[Index(silo, partial, slice)];

    /// <returns>The presence bits beside the partial.</returns>
    public Span<byte> Presence(int silo, int partial, int slice) => new((void*)presences[Index(silo, partial, slice)], presenceBytes);

    public void Return(int silo, int partial, int slice)
    {
        var index = Index(silo, partial, slice);
        if (!lent[index]) free.Push(places[index]);
    }

    public void Dispose()
    {
        foreach (var place in all) NativeMemory.AlignedFree((void*)place);
        all.Clear();
        free.Clear();
    }

    private void Put(int index, nint payload, nint presence, bool isLent) =>
        (places[index], presences[index], lent[index]) = (payload, presence, isLent);

    private int Index(int silo, int partial, int slice) => ((firstOperand[silo] + partial) * slices) + slice;
}
