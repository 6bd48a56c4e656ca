using Distributed.Core.DataSets;
using Distributed.Core.Optimizers;
using Distributed.Core.Spec;
using Distributed.Core.Values;

namespace Distributed.Core.Tests.Spec;

public sealed class JobMemoryTests
{
    private static JobSpec Job(string more) =>
        JobSpecJson.Read($$"""{"name":"a","data":{"name":"tensors","path":"d"},"steps":1,{{more}}}""") is { Spec: { } spec }
            ? spec
            : throw new ArgumentException(more);

    [Fact]
    public void Of_Mlp_CountsWhatIsSure()
    {
        const double parameters = (11 * 20) + (21 * 5);
        var spec = Job("""
            "model":{"name":"mlp","sizes":[10,20,5]},"globalBatch":64,"microBatch":8,"optimizer":{"name":"adamw"}
            """);
        Assert.Equal(new JobMemory(parameters * 12, parameters * 12, 0, 2 * 2 * 8 * 10 * 4, 2 * 8 * 25 * 4), JobMemory.Of(spec, 2));
        Assert.Equal(parameters * 4, JobMemory.Of(spec with { Optimizer = OptimizerSpec.Of(new SgdOptions()) }, 1).Weights);
        Assert.Equal(
            parameters * 8, JobMemory.Of(spec with { Optimizer = OptimizerSpec.Of(new SgdOptions { Momentum = 0.9 }) }, 1).Weights);
        Assert.Equal(2 * 8 * 25 * 2, JobMemory.Of(spec with { Precision = Precision.MixedBFloat16 }, 2).Activations);
        Assert.Equal(parameters * (4 + (2 * 2)), JobMemory.Of(spec with { Precision = Precision.MixedBFloat16 }, 2).Gradients);
        Assert.Equal(1e6 * 3072, JobMemory.Of(spec with { Data = DataSpec.Of(new ShapesOptions { Samples = 1_000_000 }) }, 1).Data);
        // No more samples than there are.
        Assert.Equal(3 * 25 * 4, JobMemory.Of(spec with { Data = DataSpec.Of(new ShapesOptions { Samples = 3 }) }, 1).Activations);
    }

    [Fact]
    public void Of_Transformer_CountsWhatEachTokenAttendsTo()
    {
        var spec = Job("""
            "model":{"name":"transformer","width":12,"layers":2,"heads":3,"vocab":256,"sequence":8},"globalBatch":4,"microBatch":4
            """) with { Data = DataSpec.Of(new TextOptions { Length = 8 }, "d") };
        Assert.Equal(4.0 * 8 * (256 + (2 * ((8 * 12) + (3 * 8)))) * 4, JobMemory.Of(spec, 1).Activations);
    }

    [Fact]
    public void Reading_OneFile_CountsItWhole()
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(file, new byte[1234]);
            JobMemory none = new(0, 0, 5, 0, 0);
            Assert.Equal(1239, none.Reading(DataSpec.Of(new TextOptions(), file)).Data);
            Assert.Equal(5, none.Reading(DataSpec.Of(new Cifar10Options(), file)).Data);
            Assert.Equal(5, none.Reading(DataSpec.Of(new TextOptions(), file + "/none")).Data);
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>A number of a few digits, wherever it is written, is seen in the sum.</summary>
    [Theory]
    [InlineData("""  "model":{"name":"mlp","sizes":[10,20,5]},"globalBatch":1000000,"microBatch":1000000  """, 1e8)]
    [InlineData("""  "model":{"name":"mlp","sizes":[60000,60000]},"globalBatch":1,"microBatch":1  """, 6e10)]
    [InlineData("""  "model":{"name":"simple-cnn"},"globalBatch":1000000,"microBatch":1000000  """, 2e11)]
    [InlineData(
        """  "model":{"name":"sentiment-lstm","vocab":10000000,"embedding":100,"hidden":8},"globalBatch":1,"microBatch":1  """, 1e10)]
    [InlineData(
        """  "model":{"name":"transformer","width":16,"layers":1,"heads":1,"vocab":10000000,"sequence":16384}"""
        + ""","globalBatch":1,"microBatch":1  """, 3e9)]
    public void Of_LargeNumbers_IsLarge(string more, double least) => Assert.InRange(JobMemory.Of(Job(more), 1).Total, least, 4 * least);

    [Theory]
    [InlineData("8GiB", 8L << 30)]
    [InlineData("512 MiB", 512L << 20)]
    [InlineData("1.5 kib", 1536L)]
    [InlineData("4096", 4096L)]
    [InlineData("10 bytes", 10L)]
    [InlineData("0", null)]
    [InlineData("-1GiB", null)]
    [InlineData("8 GB", null)]
    [InlineData("9999999999TiB", null)]
    [InlineData("NaN", null)]
    [InlineData("", null)]
    public void Parse_Amount_IsBytes(string text, long? bytes) => Assert.Equal(bytes, MemorySize.Parse(text));

    [Theory]
    [InlineData(50L << 30, "50GiB")]
    [InlineData(1536L, "1536")]
    [InlineData(3L << 10, "3KiB")]
    [InlineData(1L << 50, "1024TiB")]
    public void Exact_Bytes_AreReadBack(long bytes, string text)
    {
        Assert.Equal(text, MemorySize.Exact(bytes));
        Assert.Equal(bytes, MemorySize.Parse(text));
    }

    [Theory]
    [InlineData(0, "0 bytes")]
    [InlineData(1023, "1023 bytes")]
    [InlineData(1536, "1.5 KiB")]
    [InlineData(26.04 * (1L << 30), "26 GiB")]
    [InlineData(300.7 * (1L << 30), "301 GiB")]
    public void Text_Bytes_AreRounded(double bytes, string text) => Assert.Equal(text, MemorySize.Text(bytes));
}
