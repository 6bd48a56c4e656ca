// Most runs have a rank or two that wait for each other: two at once keep two cores busy.
[assembly: CollectionBehavior(MaxParallelThreads = 2)]
