using System.Collections.Immutable;
using Distributed.Grains.Contracts;

namespace Distributed.Grains.Jobs;

/// <summary>What a job that a silo could not run needs to know of the rest.</summary>
/// <param name="Silos">All silos that take ranks.</param>
/// <param name="Inputs">Files that the job reads.</param>
/// <param name="Lacking">Other silos that lack them, too: they were asked, not tried.</param>
internal sealed record JobSurroundings(ImmutableArray<SiloRoom> Silos, string Inputs, DateTimeOffset Now, ImmutableArray<SiloFault> Lacking)
{
    /// <summary>Silos that the job must have; 0: any number.</summary>
    public int SilosNeeded { get; init; }

    public int RanksNeeded { get; init; } = 1;

    /// <summary>Whether these silos could run it, once they are free.</summary>
    public bool CanRunOn(IReadOnlyCollection<SiloRoom> silos)
    {
        var unknown = silos.Where(s => s.Fingerprint is null).ToList();
        return Fits(unknown)
            || silos.Where(s => s.Fingerprint is not null).GroupBy(s => s.Fingerprint).Any(alike => Fits([.. alike, .. unknown]));

        bool Fits(List<SiloRoom> some) => SilosNeeded > 0 ? some.Count >= SilosNeeded : some.Sum(s => s.Slots) >= RanksNeeded;
    }
}

/// <param name="Slots">In all.</param>
/// <param name="Fingerprint">Of its machine and build; null: it did not say.</param>
internal readonly record struct SiloRoom(string Name, int Slots, string? Fingerprint = null);
