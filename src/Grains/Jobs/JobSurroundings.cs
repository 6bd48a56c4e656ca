using System.Collections.Immutable;
using Distributed.Grains.Devices;

namespace Distributed.Grains.Jobs;

/// <summary>What a job that a silo could not run needs to know of the rest.</summary>
/// <param name="Silos">Names of all silos that take ranks.</param>
/// <param name="Inputs">Files that the job reads.</param>
/// <param name="Lacking">Other silos that lack them, too: they were asked, not tried.</param>
internal sealed record JobSurroundings(ImmutableArray<string> Silos, string Inputs, DateTimeOffset Now, ImmutableArray<SiloFault> Lacking);
