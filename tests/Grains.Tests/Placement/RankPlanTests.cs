using System.Collections.Immutable;
using System.Net;
using CsCheck;
using Distributed.Core.Jobs;
using Distributed.Grains.Placement;
using Orleans.Runtime;

namespace Distributed.Grains.Tests.Placement;

public sealed class RankPlanTests
{
    private static ImmutableArray<LeasedSilo> Silos(int count) =>
        [.. Enumerable.Range(0, count).Select(i => new LeasedSilo(SiloAddress.New(IPAddress.Loopback, 1000 + i, 7), $"silo-{i}", 2))];

    [Fact]
    public void Deal_AnySizes_EveryRankOnceInOrderByTheFloorRule() =>
        Gen.Select(Gen.Int[1, 64], Gen.Int[1, 12]).Sample((worldSize, count) =>
        {
            var plan = RankPlan.Deal(worldSize, "cpu", Silos(count));
            Assert.Equal(Enumerable.Range(0, worldSize), plan.SelectMany(s => s.Ranks).Select(r => r.Rank));
            foreach (var silo in plan)
            {
                var i = int.Parse(silo.Silo.Name[5..], System.Globalization.CultureInfo.InvariantCulture);
                Assert.Equal(((i + 1) * worldSize / count) - (i * worldSize / count), silo.Ranks.Length);
                Assert.Equal(Enumerable.Range(0, silo.Ranks.Length).Select(d => $"cpu:{d}"), silo.Ranks.Select(r => r.Device));
            }
        });

    [Theory]
    [InlineData(0, 4, null, 4)]
    [InlineData(0, 4, 3, 3)]
    [InlineData(0, 100, null, 8)]
    [InlineData(6, 2, 3, 6)]
    public void WorldSize_AskedOrAsManyAsFit(int asked, int slots, int? max, int expected) => Assert.Equal(
        expected, RankPlan.WorldSize(Specs.Job() with { Workers = new WorkersSpec { Max = max } }, asked, slots));

    [Fact]
    public void Refuse_MoreRanksThanMicroBatches_NamesBothAndTheRemedy() => Assert.Equal(
        "9 ranks, but a step has only 8 micro-batches (globalBatch 64 / microBatch 8); ask for at most 8 ranks or make microBatch smaller.",
        RankPlan.Refuse(Specs.Job(), 9, 1, 0));

    [Fact]
    public void Refuse_FittingOptions_Null() => Assert.Null(RankPlan.Refuse(Specs.Job(), 8, 2, 3));
}
