using System.Collections.Immutable;
using Distributed.Grains.Devices;

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
    public bool CanRunOn(IReadOnlyCollection<SiloRoom> silos) => SilosNeeded > 0 ? silos.Count >= SilosNeeded : silos.Sum(s => s.Slots) >= RanksNeeded;
}

/// <param name="Slots">In all.</param>
internal readonly record struct SiloRoom(string Name, int Slots);
