using Distributed.Client.LocalCluster;
using Distributed.Client.Outcomes;

namespace Distributed.Client.Tests.LocalCluster;

public sealed class ClusterLayoutTests
{
    [Theory]
    [InlineData(null, null, 8, 1, 8)]
    [InlineData(3, null, 8, 3, 2)]
    [InlineData(3, null, 2, 3, 1)]
    [InlineData(3, 4, 2, 3, 4)]
    public void Decide_FirstTime_SharesTheCores(int? silos, int? slots, int cores, int count, int each) =>
        Assert.Equal(new ClusterLayout(count, each), ClusterLayout.Decide(null, 0, silos, slots, cores));

    [Theory]
    [InlineData(null, null, 3, 2)]
    [InlineData(3, null, 3, 2)]
    [InlineData(4, null, 4, 2)]
    [InlineData(null, 5, 3, 5)]
    public void Decide_NoneRuns_IsAsBeforeUnlessSaidOtherwise(int? silos, int? slots, int count, int each) =>
        Assert.Equal(new ClusterLayout(count, each), ClusterLayout.Decide(new ClusterLayout(3, 2), 0, silos, slots, 8));

    [Theory]
    [InlineData(null, null, 3)]
    [InlineData(3, 2, 3)]
    [InlineData(5, null, 5)]
    public void Decide_SomeRun_MissingOnesAreAdded(int? silos, int? slots, int count) =>
        Assert.Equal(new ClusterLayout(count, 2), ClusterLayout.Decide(new ClusterLayout(3, 2), 1, silos, slots, 8));

    [Theory]
    [InlineData(2, null, "--silos: found 2, but a cluster of 3 runs.")]
    [InlineData(3, 1, "--slots: found 1, but the silos that run have 2 each.")]
    public void Decide_OthersRun_IsRefusedWithTheRemedy(int? silos, int? slots, string words)
    {
        var refused = Assert.Throws<CommandFailure>(() => ClusterLayout.Decide(new ClusterLayout(3, 2), 2, silos, slots, 8));
        Assert.Equal(ExitCode.Usage, refused.ExitCode);
        Assert.StartsWith(words, refused.Message, StringComparison.Ordinal);
        Assert.Contains("dtrain cluster down", refused.Message, StringComparison.Ordinal);
    }
}
