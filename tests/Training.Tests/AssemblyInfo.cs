// Ranks are threads that want cores of their own, and the live tensor count is one for the process.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
