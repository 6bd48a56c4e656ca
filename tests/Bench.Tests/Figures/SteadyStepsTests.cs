using Distributed.Bench.Figures;

namespace Distributed.Bench.Tests.Figures;

public sealed class SteadyStepsTests
{
    [Fact]
    public void Of_SteadyFromTheStart_DropsOneWindow() =>
        Assert.Equal(new SteadySteps(5, true), SteadySteps.Of([.. Enumerable.Repeat(1.0, 30)]));

    [Fact]
    public void Of_SlowBeginning_CountsFromWhereTwoWindowsAgree()
    {
        // Windows of 5: the first pair that agrees holds fast steps alone, by their medians.
        double[] seconds = [.. Enumerable.Range(0, 8).Select(i => 9.0 - i), .. Enumerable.Repeat(1.0, 22)];
        var steady = SteadySteps.Of(seconds);
        Assert.True(steady.IsSteady);
        Assert.InRange(steady.First, 8, 13);
        Assert.All(seconds.Skip(steady.First), s => Assert.Equal(1, s));
        Assert.Equal(1, SteadySteps.Median(seconds));
    }

    [Fact]
    public void Of_NeverSteady_CountsFromTheMiddle()
    {
        double[] seconds = [.. Enumerable.Range(0, 40).Select(i => Math.Pow(0.9, i))];
        Assert.Equal(new SteadySteps(20, false), SteadySteps.Of(seconds));
    }

    [Theory]
    [InlineData(0.029, true)]
    [InlineData(0.031, false)]
    public void Of_WindowsThatDifferByTheTolerance_AreNotSteady(double difference, bool isSteady) =>
        Assert.Equal(new SteadySteps(2, isSteady), SteadySteps.Of([1, 1, 1 + difference, 1 + difference]));

    [Fact]
    public void Of_OneStepAmongMany_DoesNotUnsettle()
    {
        double[] seconds = [.. Enumerable.Range(0, 60).Select(i => i % 7 == 3 ? 5.0 : 1.0)];
        Assert.Equal(new SteadySteps(10, true), SteadySteps.Of(seconds));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(5)]
    public void Of_FewSteps_LeavesSome(int count)
    {
        double[] seconds = [.. Enumerable.Range(1, count).Select(i => (double)i)];
        Assert.InRange(SteadySteps.Of(seconds).First, 0, count - 1);
        Assert.True(SteadySteps.Median(seconds) > 0);
    }
}
