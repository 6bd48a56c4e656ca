using Distributed.Grains.Placement;

namespace Distributed.Grains.Tests.Placement;

public sealed class SiloNameOrderTests
{
    [Fact]
    public void Order_NumbersCountAsNumbers()
    {
        string[] ordered = ["", "7", "a", "rack-2", "silo", "silo-0", "silo-1", "silo-9", "silo-10", "silo-10000000000000000000000"];
        Assert.Equal(ordered, ordered.Reverse().Order(SiloNameOrder.Instance));
    }

    [Fact]
    public void Order_SameNumberOtherText_IsStillAnOrder()
    {
        Assert.NotEqual(0, SiloNameOrder.Instance.Compare("silo-01", "silo-1"));
        Assert.Equal(0, SiloNameOrder.Instance.Compare("silo-1", "silo-1"));
    }
}
