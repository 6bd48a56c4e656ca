using System.Collections.Immutable;
using System.Net;
using CsCheck;
using Distributed.Core.Spec;
using Distributed.Grains.Contracts;
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
            Assert.Equal(Enumerable.Range(0, worldSize), plan.SelectMany(s => s.Ranks).Select(r => r.Rank.Value));
            foreach (var silo in plan)
            {
                var i = int.Parse(silo.Silo.Name[5..], System.Globalization.CultureInfo.InvariantCulture);
                Assert.Equal(((i + 1) * worldSize / count) - (i * worldSize / count), silo.Ranks.Length);
                Assert.Equal(Enumerable.Range(0, silo.Ranks.Length).Select(d => $"cpu:{d}"), silo.Ranks.Select(r => r.Device));
            }
        });

    [Fact]
    public void Deal_SilosOfAnySize_NoSiloGetsMoreRanksThanSlots() =>
        Gen.Select(Gen.Int[1, 8].Array[1, 10], Gen.Double[0, 1]).Sample((sizes, share) =>
        {
            var silos = sizes.Select((slots, i) => Silos(sizes.Length)[i] with { Slots = slots }).ToImmutableArray();
            var worldSize = 1 + (int)(share * (sizes.Sum() - 1));
            var plan = RankPlan.Deal(worldSize, "cpu", silos);
            Assert.Equal(Enumerable.Range(0, worldSize), plan.SelectMany(s => s.Ranks).Select(r => r.Rank.Value));
            Assert.All(plan, s => Assert.InRange(s.Ranks.Length, 1, s.Silo.Slots));
        });

    [Theory]
    [InlineData(0, null, null, 1, 8, true)]
    [InlineData(0, 3, null, 1, 3, false)]
    [InlineData(0, 100, null, 1, 8, false)]
    [InlineData(6, 3, null, 6, 6, false)]
    [InlineData(0, 3, 5, 5, 5, false)]
    public void Demand_AskedScaledOrAsTheJobSays(int asked, int? max, int? workers, int least, int most, bool oneSilo) => Assert.Equal(
        (least, most, oneSilo),
        RankPlan.Demand(Specs.Job() with { Workers = new WorkersSpec { Max = max } }, new RunOptions { Ranks = asked }, workers));

    [Fact]
    public void Refuse_MoreRanksThanMicroBatches_NamesBothAndTheRemedy() => Assert.Equal(
        "9 ranks, but a step has only 8 micro-batches (globalBatch 64 / microBatch 8); ask for at most 8 ranks or make microBatch smaller.",
        RankPlan.Refuse(Specs.Job(), 9, 1, 0));

    [Fact]
    public void Refuse_FittingOptions_Null() => Assert.Null(RankPlan.Refuse(Specs.Job(), 8, 2, 3));
}
