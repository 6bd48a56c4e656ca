using System.Runtime.Versioning;

// Every test starts processes that use all cores, and waits for them half of its time: three at once keep two cores busy.
[assembly: CollectionBehavior(MaxParallelThreads = 3)]
[assembly: UnsupportedOSPlatform("windows")]
