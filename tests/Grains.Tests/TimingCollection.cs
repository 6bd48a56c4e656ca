namespace Distributed.Grains.Tests;

/// <summary>Tests of how long something takes: they run when no other test of this project does.</summary>
[CollectionDefinition(nameof(TimingCollection), DisableParallelization = true)]
public sealed class TimingCollection;
