using Orleans.Placement;
using Orleans.Runtime;

namespace Distributed.Grains.Placement;

/// <summary>Places a grain where it is first called, but for a silo that drains: then elsewhere.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class OnWillingSiloAttribute() : PlacementAttribute(new OnWillingSilo());

/// <summary>The strategy behind <see cref="OnWillingSiloAttribute"/>.</summary>
[GenerateSerializer]
internal sealed class OnWillingSilo : PlacementStrategy;
