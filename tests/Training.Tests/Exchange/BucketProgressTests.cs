using Distributed.Core.Canonical;
using Distributed.Core.Events;
using Distributed.Training.Exchange;
using Distributed.Training.Reduction;

namespace Distributed.Training.Tests.Exchange;

/// <summary>A bucket leaves with the piece that completes it: not before, and not with the whole parameter.</summary>
public sealed class BucketProgressTests : IDisposable
{
    private const int Ranks = 2;

    /// <summary>A wide weight between two small parameters, last parameter first.</summary>
    private static readonly FlatRange[] Ranges = [new(2, 0, 1_000), new(1, 1_024, 3_000_000), new(0, 3_001_088, 500)];

    private readonly Recorder exchange;
    private readonly ExchangePlan plan = ExchangePlan.For(
        BlockPlan.Blocks(3_001_600) * BlockPlan.BlockElements, MicroBatchRuns.Plan(Ranks, 4));
    private readonly BucketGate gate;

    public BucketProgressTests()
    {
        exchange = new Recorder(plan.Buckets);
        gate = new BucketGate(exchange, Ranks);
    }

    public void Dispose() => exchange.Dispose();

    [Theory]
    [InlineData(3_000_000)]
    [InlineData(500_000)]
    [InlineData(77_777)]
    public void Ready_PieceByPiece_ReleasesWhatIsWhole(long piece)
    {
        Assert.True(plan.Buckets.Count > 4, $"{plan.Buckets.Count} buckets");
        var (first, second) = (Begin(), new BucketProgress(plan.Buckets, Ranges, 3, gate));
        second.Begin();
        // Of the other rank all is there: this one decides.
        foreach (var parameter in (int[])[2, 1, 0]) second.Ready(parameter);
        Assert.Empty(exchange.Released);
        first.Ready(2);
        Assert.Empty(exchange.Released);
        for (long made = 0; made < 3_000_000;)
        {
            made = Math.Min(3_000_000, made + piece);
            first.Ready(1, made);
            Assert.Equal(Enumerable.Range(0, plan.Buckets.Count).Where(b => plan.Buckets[b].End <= 1_024 + made), exchange.Released);
        }
        first.Ready(0);
        first.End();
        Assert.Equal(Enumerable.Range(0, plan.Buckets.Count), exchange.Released);
    }

    [Fact]
    public void End_ParameterWithoutGradient_ReleasesTheRestOnce()
    {
        var progress = Begin();
        var other = new BucketProgress(plan.Buckets, Ranges, 3, gate);
        other.Begin();
        other.End();
        progress.Ready(2);
        progress.Ready(1, 500_000);
        var before = exchange.Released.Count;
        Assert.InRange(before, 1, plan.Buckets.Count - 1);
        progress.End();
        Assert.Equal(Enumerable.Range(0, plan.Buckets.Count), exchange.Released.Order());
    }

    private BucketProgress Begin()
    {
        gate.Begin(1, default);
        BucketProgress progress = new(plan.Buckets, Ranges, 3, gate);
        progress.Begin();
        return progress;
    }

    private sealed class Recorder(IReadOnlyList<BlockRun> buckets) : IGradientExchange
    {
        public IReadOnlyList<BlockRun> Buckets => buckets;

        public SiloReports Reports => new(0, 1);

        public List<int> Released { get; } = [];

        public void Begin(long step, GradientFactors factors) => Released.Clear();

        public void Release(int bucket) => Released.Add(bucket);

        public void Reduce(int rank, TimeSpan patience)
        {
        }

        public void Abort(JobError reason)
        {
        }

        public void Dispose()
        {
        }
    }
}
