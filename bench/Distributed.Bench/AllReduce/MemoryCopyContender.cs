using Distributed.Bench.Baselines;
using Distributed.Bench.Figures;

namespace Distributed.Bench.AllReduce;

/// <summary>As many bytes, copied once by as many threads as there are ranks, in this process.</summary>
internal sealed class MemoryCopyContender(int ranks) : IAllReduceContender
{
    public string Name => "memory copy";

    public Task<IReadOnlyList<AllReduceFigure>> Run(IReadOnlyList<SizedRun> sizes) => Task.Run<IReadOnlyList<AllReduceFigure>>(() =>
        [.. sizes.Select(
            size => new AllReduceFigure(size.Bytes, BenchMath.Median(MemoryCopyRun.Run(size.Bytes, ranks, size.Iterations)), null))]);
}
