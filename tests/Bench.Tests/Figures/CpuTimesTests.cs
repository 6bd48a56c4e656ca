using Distributed.Bench.Figures;

namespace Distributed.Bench.Tests.Figures;

public sealed class CpuTimesTests
{
    [Fact]
    public void StolenSince_CountsStealAmongAllTimeOnce()
    {
        // The last two columns, of guests, are parts of the first two.
        var before = CpuTimes.Read("cpu  100 10 20 800 5 1 2 50 40 3");
        var after = CpuTimes.Read("cpu  160 10 30 810 5 1 2 70 90 3");
        Assert.Equal(new CpuTimes(50, 988), before);
        Assert.Equal(0.2, after.StolenSince(before), 12);
        Assert.StartsWith("Other tenants of the host took 20.0 % of the cores' time", after.Note(before), StringComparison.Ordinal);
    }

    [Fact]
    public void StolenSince_NoTimePassed_IsNothing() => Assert.Equal(0, CpuTimes.Now() is var now ? now.StolenSince(now) : 1);

    [Theory]
    [InlineData("cpu0 1 2 3 4 5 6 7 8 9 10")]
    [InlineData("cpu 1 2 3 4")]
    public void Read_AnotherLine_SaysWhatIsExpected(string line) =>
        Assert.Contains("expected 'cpu' and 8 numbers", Assert.Throws<FormatException>(() => CpuTimes.Read(line)).Message);
}
