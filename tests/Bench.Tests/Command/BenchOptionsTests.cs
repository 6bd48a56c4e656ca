using Distributed.Bench.AllReduce;
using Distributed.Bench.Settings;

namespace Distributed.Bench.Tests.Command;

public sealed class BenchOptionsTests
{
    [Fact]
    public void Parse_AllReduce_ReadsItsOptions()
    {
        var options = BenchOptions.Parse(["allreduce", "--sizes", "4KiB, 25 MiB,8", "--only", "2 silos", "--quick", "--rounds", "7"]);
        Assert.Equal(("allreduce", 7, "2 silos", true), (options.Name, options.Rounds, options.Only, options.Quick));
        Assert.Equal([4096L, 25 << 20, 8], options.Sizes!.Value.AsEnumerable());
    }

    [Fact]
    public void Parse_Nothing_RepeatsThriceOrOnceWhenQuick()
    {
        Assert.Equal(3, BenchOptions.Parse(["scaling"]).Rounds);
        Assert.Equal(1, BenchOptions.Parse(["scaling", "--quick"]).Rounds);
        Assert.Equal(1, BenchOptions.Parse(["memory"]).Rounds);
    }

    [Theory]
    [InlineData("expected --rounds N or --only NAME", "step", "--sizes", "4")]
    [InlineData("expected --rounds N, --only NAME or --quick", "memory", "--ranks", "2")]
    [InlineData("expected --rounds N or --only NAME", "step", "--quick")]
    [InlineData("expected --rounds N or --quick", "matmul", "--only", "256")]
    [InlineData("--sizes LIST", "allreduce", "--frob")]
    [InlineData("--rounds is '0'", "scaling", "--rounds", "0")]
    [InlineData("--sizes needs a value", "allreduce", "--sizes")]
    [InlineData("--bandwidth LIST or --quick", "scaling", "--sizes", "4")]
    [InlineData("unknown option --bandwidth", "allreduce", "--bandwidth", "1Gbit")]
    [InlineData("bandwidth '10'", "scaling", "--bandwidth", "10")]
    [InlineData("bandwidth ''", "scaling", "--bandwidth", "1Gbit,")]
    [InlineData("bandwidth '0.5Mbit', expected 1Mbit to 10000Gbit", "scaling", "--bandwidth", "0.5Mbit")]
    [InlineData("bandwidth '-1Gbit'", "scaling", "--bandwidth", "-1Gbit")]
    [InlineData("bandwidth '99999Gbit'", "scaling", "--bandwidth", "99999Gbit")]
    [InlineData("size '6'", "allreduce", "--sizes", "6")]
    [InlineData("size '2000MiB'", "allreduce", "--sizes", "2000MiB")]
    [InlineData("size '99999999999999999999'", "allreduce", "--sizes", "99999999999999999999")]
    [InlineData("size ''", "allreduce", "--sizes", "4KiB,")]
    public void Parse_Wrong_SaysWhatIsExpected(string expected, params string[] arguments) =>
        Assert.Contains(expected, Assert.Throws<FormatException>(() => BenchOptions.Parse(arguments)).Message, StringComparison.Ordinal);

    [Fact]
    public void Parse_Bandwidth_ReadsBitsPerSecond()
    {
        Assert.Equal([1e9, 1e10, 1e11], BenchOptions.Parse(["scaling"]).Bandwidths.AsEnumerable());
        Assert.Equal(
            [2.5e9, 1e8, 4e11], BenchOptions.Parse(["scaling", "--bandwidth", "2.5 Gbit,100Mbit, 400gbit"]).Bandwidths.AsEnumerable());
    }

    [Theory]
    [InlineData(1e9, "1 Gbit/s")]
    [InlineData(2.5e9, "2.5 Gbit/s")]
    [InlineData(1e8, "100 Mbit/s")]
    public void Text_Rate_ReadsBack(double rate, string text)
    {
        Assert.Equal(text, BitRate.Text(rate));
        Assert.Equal(rate, BitRate.Parse(text.Replace("/s", "")));
    }

    [Theory]
    [InlineData(4096, "4 KiB")]
    [InlineData(100 << 20, "100 MiB")]
    [InlineData(12, "12 bytes")]
    public void Text_Size_ReadsBack(long bytes, string text)
    {
        Assert.Equal(text, ByteSize.Text(bytes));
        Assert.Equal(bytes, ByteSize.Parse(text.Replace(" bytes", "")));
    }
}
