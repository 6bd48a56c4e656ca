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
    [InlineData("size '6'", "allreduce", "--sizes", "6")]
    [InlineData("size '2000MiB'", "allreduce", "--sizes", "2000MiB")]
    [InlineData("size '99999999999999999999'", "allreduce", "--sizes", "99999999999999999999")]
    [InlineData("size ''", "allreduce", "--sizes", "4KiB,")]
    public void Parse_Wrong_SaysWhatIsExpected(string expected, params string[] arguments) =>
        Assert.Contains(expected, Assert.Throws<FormatException>(() => BenchOptions.Parse(arguments)).Message, StringComparison.Ordinal);

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
