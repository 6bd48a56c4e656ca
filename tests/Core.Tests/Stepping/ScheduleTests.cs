using CsCheck;
using Distributed.Core.Jobs;
using Distributed.Core.Schedules;
using Distributed.Core.Stepping;

namespace Distributed.Core.Tests.Stepping;

public sealed class ScheduleTests
{
    [Theory]
    [InlineData("constant", 0, 0.25)]
    [InlineData("constant", 3, 1.0)]
    [InlineData("constant", 99, 1.0)]
    [InlineData("linear", 2, 0.75)]
    [InlineData("linear", 4, 1.0)]
    [InlineData("linear", 9, 0.5)]
    [InlineData("linear", 14, 0.0)]
    [InlineData("cosine", 4, 1.0)]
    [InlineData("cosine", 9, 0.5)]
    [InlineData("cosine", 14, 0.0)]
    [InlineData("cosine", 20, 0.0)]
    public void LearningRate_WarmupOf4In14Steps_FollowsTheFormula(string name, long updates, double factor) =>
        Assert.Equal(0.1 * factor, Rate(name, 4, updates, 14), 12);

    [Fact]
    public void LearningRate_WarmupLongerThanTheJob_StaysFinite() => Assert.Equal(0.05, Rate("cosine", 10, 4, 5), 12);

    [Fact]
    public void LearningRate_Anywhere_LiesBetweenZeroAndLrAndDecaysAfterWarmup() =>
        Gen.Select(Gen.Int[0, 2], Gen.Long[0, 20], Gen.Long[0, 60], Gen.Long[1, 50]).Sample((kind, warmup, updates, total) =>
        {
            var name = new[] { "constant", "linear", "cosine" }[kind];
            var (now, next) = (Rate(name, warmup, updates, total), Rate(name, warmup, updates + 1, total));
            return now is >= 0 and <= 0.1 && (updates < warmup || next <= now);
        });

    private static double Rate(string name, long warmup, long updates, long total) =>
        ((ScheduleOptions)(name switch
        {
            "constant" => new ConstantOptions { WarmupSteps = warmup },
            "linear" => new LinearOptions { WarmupSteps = warmup },
            _ => new CosineOptions { WarmupSteps = warmup },
        })).LearningRate(0.1, updates, total);
}
