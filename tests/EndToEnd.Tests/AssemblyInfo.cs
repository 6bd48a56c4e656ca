using System.Runtime.Versioning;

// Every test starts processes that use all cores, and waits for them half of its time: four at once keep two cores busy.
[assembly: CollectionBehavior(MaxParallelThreads = 4)]
[assembly: UnsupportedOSPlatform("windows")]
