namespace Distributed.Grains.Tests;

/// <summary>Tests of how long something takes: they run when no other test of this project does.</summary>
[CollectionDefinition(nameof(TimedAlone), DisableParallelization = true)]
public sealed class TimedAlone;
