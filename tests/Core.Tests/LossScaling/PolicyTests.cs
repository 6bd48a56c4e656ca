using CsCheck;
using Distributed.Core.LossScaling;
using Distributed.Core.Spec;
using Distributed.Core.Values;

namespace Distributed.Core.Tests.LossScaling;

public sealed class PolicyTests
{
    private static readonly double[] Stream = [1, 0, 1, 1, 0, 0, 0, 1, 1];

    [Theory]
    [InlineData("torch", 1, 16)]
    [InlineData("deepspeed", 2, 64)]
    [InlineData("megatron", 2, 64)]
    [InlineData("static", 1, 256)]
    public void Run_SameStream_EndsWhereThePeerEnds(string policy, int hysteresis, float expected) =>
        Assert.Equal(expected, ScaleTrace.Run(Policy(policy, 256, 2, hysteresis), Stream).Last().Scale);

    [Fact]
    public void Run_DeepSpeed_GrowsOneStepLaterThanTorchAndPeriodically()
    {
        var deepspeed = ScaleTrace.Run(Policy("deepspeed", 256, 2, 1), [1, 0, 0, 0, 0, 0]).Select(s => s.Scale);
        var torch = ScaleTrace.Run(Policy("torch", 256, 2, 1), [1, 0, 0, 0, 0, 0]).Select(s => s.Scale);
        Assert.Equal([128, 128, 128, 256, 256, 512], deepspeed);
        Assert.Equal([128, 128, 256, 256, 512, 512], torch);
    }

    [Fact]
    public void Run_DeepSpeedAtItsFloor_RaisesAndNamesTheRemedy()
    {
        var trace = ScaleTrace.Run(Policy("deepspeed", 4, 2, 2), [1, 1, 1, 1]);
        Assert.Equal([4, 2, 1], trace.Take(3).Select(s => s.Scale));
        Assert.Contains("minimum 1", Assert.Throws<LossScaleException>(() => trace.Count()).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1.0)]
    [InlineData(3.0)]
    [InlineData(double.NaN)]
    [InlineData(double.NegativeInfinity)]
    public void Run_AnyFlagButZero_IsOneBackoff(double flag)
    {
        var step = Assert.Single(ScaleTrace.Run(Policy("torch", 8, 2, 1), [flag]));
        Assert.Equal((4f, 0, true), (step.Scale, step.GrowthTracker, step.Skipped));
    }

    [Fact]
    public void Next_TorchWithoutFloor_ReachesZero() =>
        Assert.Equal(0, ScaleTrace.Run(Policy("torch", 1.4e-45, 2, 1), [1]).Single().Scale);

    [Fact]
    public void Next_FloorAndCap_HoldTheScale()
    {
        var policy = LossScalePolicies.Create(new() { Init = 8, Interval = 1, Min = 4, Max = 16 });
        Assert.Equal([4, 4, 8, 16, 16], ScaleTrace.Run(policy, [1, 1, 0, 0, 0]).Select(s => s.Scale));
    }

    [Fact]
    public void Next_TorchWithTrackerGiven_GrowsFromThere() =>
        Assert.Equal((16f, 0), ScaleTrace.Run(Policy("torch", 8, 5, 1), [0], 4).Select(s => (s.Scale, s.GrowthTracker)).Single());

    [Fact]
    public void Next_TorchFactorThatIsNoFloat_IsMultipliedInDouble() =>
        Assert.Equal((float)(3f * 0.7), ScaleTrace.Run(LossScalePolicies.Create(new() { Init = 3, Backoff = 0.7 }), [1]).Single().Scale);

    [Fact]
    public void For_WithoutSettings_IsDynamicForFloat16Only()
    {
        Assert.Equal(65536, JobLossScale.For(null, Precision.MixedFloat16).Initial.Scale);
        foreach (var precision in new[] { Precision.Float32, Precision.MixedBFloat16 })
            Assert.All(
                ScaleTrace.Run(JobLossScale.For(null, precision), Stream), step => Assert.Equal((1f, 0), (step.Scale, step.GrowthTracker)));
    }

    [Fact]
    public void Next_AnyPolicyAnyStream_CountsConsecutiveSkipsAndStaysFinite() =>
        Gen.Select(Gen.Int[0, 3].Select(i => LossScalePolicies.Names[i]), Gen.Bool.List[0, 60]).Sample((name, flags) =>
        {
            var policy = Policy(name, 1e38, 1, 1);
            var (state, skips) = (policy.Initial, 0);
            foreach (var flag in flags)
            {
                state = policy.Next(state, flag);
                skips = flag ? skips + 1 : 0;
                Assert.Equal(skips, state.ConsecutiveSkips);
                Assert.True(float.IsFinite(state.Scale));
            }
        });

    [Fact]
    public void Problems_EveryWrongSetting_IsNamed()
    {
        var spec = new LossScaleSpec
        {
            Init = 0,
            Growth = 1,
            Backoff = 1,
            Interval = 0,
            Min = -1,
            Max = double.NaN,
            Hysteresis = 2,
            MaxConsecutiveSkips = 0,
        };
        Assert.Equal(
            ["init", "min", "max", "maxConsecutiveSkips", "growth", "backoff", "interval", "hysteresis"],
            LossScaleRules.Problems(spec).Select(p => p.Key));
        Assert.Throws<ArgumentException>(() => LossScalePolicies.Create(spec));
        Assert.Equal("policy", LossScaleRules.Problems(new() { Policy = "none" }).Single().Key);
        Assert.All(LossScalePolicies.Names, name => Assert.Empty(LossScaleRules.Problems(LossScalePolicies.Defaults(name))));
    }

    private static ILossScalePolicy Policy(string name, double init, int interval, int hysteresis) =>
        LossScalePolicies.Create(LossScalePolicies.Defaults(name) with { Init = init, Interval = interval, Hysteresis = hysteresis });
}
