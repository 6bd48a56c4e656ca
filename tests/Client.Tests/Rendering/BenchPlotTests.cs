using Distributed.Client.Outcomes;
using Distributed.Client.Rendering.Plots;
using Distributed.Testing;

namespace Distributed.Client.Tests.Rendering;

public sealed class BenchPlotTests
{
    private static readonly byte[] PngBegin = [0x89, (byte)'P', (byte)'N', (byte)'G'];

    public static TheoryData<string, string> Summaries => new()
    {
        { "matmul",
            """{"summary":{"title":"Products","columns":["size","precision","GFLOP/s"],"rows":[["256","float32","80"],"""
            + """["1024","float32","90"],["256","float16","1"]]}}""" },
        { "step",
            """{"summary":{"title":"Step","columns":["model","precision","what","ratio"],"rows":[["mlp","float32","plain","0.8"],"""
            + """["mlp","float32","two ranks","1.7"]]}}""" },
        { "allreduce",
            """{"summary":{"title":"All-reduce","columns":["case","ranks on cores","who","bytes","bus GB/s"]"""
            + ""","rows":[["a","2 on 2","dtrain","4096","0.1"],["b","4 on 2","gloo","4096","0"],["b","4 on 2","gloo","8192","2"]]}}""" },
        { "scaling",
            """{"summary":{"title":"Steps","columns":["model","precision","batch","ranks","silos","samples/s"]"""
            + ""","rows":[["cnn","float32","weak","2","1","100"],["cnn","float32","weak, PyTorch DDP","2","-","90"]]}}""" },
        { "memory",
            """{"summary":{"title":"Memory","columns":["model","precision","what","peak MiB"]"""
            + ""","rows":[["mlp","float32","plain loop","800.5"],["mlp","mixed_bfloat16","1 rank","700"]]}}""" },
    };

    [Theory]
    [MemberData(nameof(Summaries))]
    public void Save_EachBench_WritesAPicture(string bench, string summary)
    {
        using TemporaryDirectory directory = new();
        var plot = BenchPlot.Open(bench, directory.File("plot.png"));
        plot.Accept("""{"row":{"size":"256"}}""");
        plot.Accept(summary);
        plot.Accept("talk");
        plot.Save(TextWriter.Null);
        Assert.Equal(PngBegin, File.ReadAllBytes(directory.File("plot.png"))[..PngBegin.Length]);
    }

    [Fact]
    public void Save_WithoutSummary_SaysSo()
    {
        using TemporaryDirectory directory = new();
        var failure = Assert.Throws<CommandFailure>(() => BenchPlot.Open("step", directory.File("plot.png")).Save(TextWriter.Null));
        Assert.Contains("nothing to draw", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Arrange_AllReduce_PutsCasesInPanelsAndLeavesOutWhatHasNoLogarithm()
    {
        var panels = PlotForm.Of("allreduce").Arrange(BenchTable.Read(((string)Summaries.ElementAt(2)[1])!)!);
        Assert.Equal(["a, ranks on cores: 2 on 2", "b, ranks on cores: 4 on 2"], panels.Select(p => p.Title));
        Assert.Equal([(8192.0, 2.0)], Assert.Single(panels[1].Series).Points);
    }

    [Fact]
    public void Arrange_Scaling_SaysWhatNumbersAre()
    {
        var panel = Assert.Single(PlotForm.Of("scaling").Arrange(BenchTable.Read((string)Summaries.ElementAt(3)[1])!));
        Assert.Equal(["weak, silos 1", "weak, PyTorch DDP"], panel.Series.Select(s => s.Label));
    }

    [Fact]
    public void Bytes_Sizes_InTheLargestWholeUnit()
    {
        Assert.Equal(
            ["4 KiB", "64 KiB", "1 MiB", "100 MiB", "1000"],
            new double[] { 4096, 65536, 1 << 20, 100 << 20, 1000 }.Select(PlotNumber.Bytes));
        Assert.Equal([0.01, 0.1, 1, 10], PlotNumber.Decades(0.02, 3));
    }
}
