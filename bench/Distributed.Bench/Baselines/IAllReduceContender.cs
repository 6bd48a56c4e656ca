namespace Distributed.Bench.Baselines;

/// <summary>Somebody who all-reduces, or marks a limit of it.</summary>
internal interface IAllReduceContender
{
    string Name { get; }

    /// <summary>One round: each size in turn.</summary>
    /// <exception cref="Baselines.BaselineException">It is not ours and does not run here.</exception>
    /// <exception cref="Core.Jobs.JobException">It is ours and failed.</exception>
    Task<IReadOnlyList<AllReduceFigure>> Run(IReadOnlyList<SizedRun> sizes);
}

/// <param name="Iterations">Timed ones.</param>
internal readonly record struct SizedRun(long Bytes, int Iterations)
{
    private const long Volume = 512L << 20;
    private const int Fewest = 5;
    private const int Most = 200;

    /// <summary>Many of the small ones, few of the large ones.</summary>
    public static SizedRun Of(long bytes) => new(bytes, (int)Math.Clamp(Volume / bytes, Fewest, Most));
}

/// <param name="Seconds">Median of the iterations, each as long as its slowest part.</param>
/// <param name="Wrong">Elements that are not the sum; null where nothing is summed.</param>
internal readonly record struct AllReduceFigure(long Bytes, double Seconds, long? Wrong);
