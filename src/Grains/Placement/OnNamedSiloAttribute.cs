using Orleans.Placement;
using Orleans.Runtime;

namespace Distributed.Grains.Placement;

/// <summary>Places a grain on the silo that the first part of its key (up to a slash) names, or not at all.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class OnNamedSiloAttribute() : PlacementAttribute(new OnNamedSilo());

/// <summary>The strategy behind <see cref="OnNamedSiloAttribute"/>.</summary>
[GenerateSerializer]
internal sealed class OnNamedSilo : PlacementStrategy;
