using System.Runtime.Versioning;

// Every test starts processes that use all cores, and waits for them half of its time: six at once keep two cores busy.
[assembly: CollectionBehavior(MaxParallelThreads = 6)]
[assembly: UnsupportedOSPlatform("windows")]
