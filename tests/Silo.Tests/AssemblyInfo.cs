// Many tests wait, for silos that start and calls that fail: more at once than there are cores keep these busy.
[assembly: CollectionBehavior(MaxParallelThreads = 4)]
