using System.Collections.Immutable;
using Distributed.Core.Canonical;
using Orleans.Concurrency;

namespace Distributed.Grains.Contracts;

/// <summary>How the gradient is cut and who brings which part; equal in all silos of a generation.</summary>
/// <param name="Elements">Of the flat buffer: whole blocks.</param>
/// <param name="SiloEnds">By silo: the micro-batch behind its last.</param>
/// <param name="Offsets">First element of each parameter in the flat buffer, ascending.</param>
/// <param name="Counts">Elements of each parameter.</param>
[GenerateSerializer, Immutable]
public sealed record ExchangeLayout(
    [property: Id(0)] long Elements,
    [property: Id(1)] ImmutableArray<int> SiloEnds,
    [property: Id(2)] ImmutableArray<long> Offsets,
    [property: Id(3)] ImmutableArray<long> Counts)
{
    /// <summary>Micro-batches by silo.</summary>
    public IReadOnlyList<MicroBatchRun> SiloRuns() =>
        [.. SiloEnds.Select((end, i) => new MicroBatchRun(i == 0 ? 0 : SiloEnds[i - 1], end))];

    /// <returns>The first difference in words; null when there is none.</returns>
    public string? DifferenceTo(ExchangeLayout other)
    {
        if (Elements != other.Elements) return $"{Elements} and {other.Elements} elements";
        if (!SiloEnds.SequenceEqual(other.SiloEnds))
            return $"micro-batches by silo up to {string.Join(", ", SiloEnds)} and {string.Join(", ", other.SiloEnds)}";
        if (Offsets.Length != other.Offsets.Length) return $"{Offsets.Length} and {other.Offsets.Length} parameters";
        for (var i = 0; i < Offsets.Length; i++)
            if ((Offsets[i], Counts[i]) != (other.Offsets[i], other.Counts[i]))
                return $"parameter {i} of the flat buffer, {Counts[i]} elements at {Offsets[i]} and "
                    + $"{other.Counts[i]} at {other.Offsets[i]}";
        return null;
    }
}
