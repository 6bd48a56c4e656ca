using Orleans.Concurrency;

namespace Distributed.Bench.AllReduce;

/// <summary>One silo's part of one timed run; the key is the silo's address, a slash and the run's id.</summary>
public interface IAllReduceGrain : IGrainWithStringKey
{
    /// <summary>Starts the work and returns at once; a second call changes nothing.</summary>
    Task Start(AllReduceOrder order);

    /// <summary>Waits for the end of the work.</summary>
    /// <param name="wait">Longest wait, at most 20 s.</param>
    /// <returns>Null when it has not ended yet.</returns>
    [AlwaysInterleave]
    Task<AllReduceResult?> End(TimeSpan wait);
}

/// <summary>Does the work on threads of this silo; the interface between the grains and the kernels.</summary>
public interface IAllReduceHost
{
    /// <summary>Starts the threads and returns at once.</summary>
    /// <returns>Completes when they have ended; never faults.</returns>
    Task<AllReduceResult> Run(AllReduceOrder order);
}
