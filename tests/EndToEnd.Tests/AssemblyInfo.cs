using System.Runtime.Versioning;

// Every test starts processes that use all cores; together they would only wait for each other.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
[assembly: UnsupportedOSPlatform("windows")]
