using Distributed.Testing.Training;
using Distributed.Training.Exchange;

namespace Distributed.Training.Tests.Exchange;

public sealed class LocalExchangeTests
{
    public static TheoryData<string, long[], int[], int> Cases => ExchangeConformance.WithinASilo;

    [Theory]
    [MemberData(nameof(Cases))]
    public void Exchange_SeveralSteps_IsBitwiseTheReference(string name, long[] sizes, int[] shares, int microBatches)
    {
        Assert.NotEmpty(name);
        using var rig = new ExchangeRig(sizes, shares, microBatches);
        using var exchange = new LocalExchangeFactory().Open(rig.Jobs[0]);
        ExchangeConformance.Holds(rig, [exchange]);
    }

    [Fact]
    public void Open_SeveralSilos_IsRefused()
    {
        using var rig = new ExchangeRig([700], [1, 1], 2);
        Assert.Throws<InvalidOperationException>(() => new LocalExchangeFactory().Open(rig.Jobs[0]));
    }
}
