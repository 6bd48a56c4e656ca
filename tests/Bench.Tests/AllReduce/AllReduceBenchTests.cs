using Distributed.Bench.AllReduce;
using Distributed.Bench.Baselines;
using Distributed.Bench.Figures;

namespace Distributed.Bench.Tests.AllReduce;

public sealed class AllReduceBenchTests
{
    private static readonly AllReduceCase Case = new(4, 1, AllReduceWay.Peer);
    private static readonly SizedRun[] Sizes = [SizedRun.Of(4096), SizedRun.Of(100 << 20)];

    [Fact]
    public async Task Run_TwoContenders_RowsAndRatiosAreMediansOfRounds()
    {
        var reported = new List<BenchRow>();
        var bench = new AllReduceBench(
            _ => [new Fake("dtrain", [1e-3, 2e-3, 9e-3], wrong: 1), new Fake("memory copy", [2e-3, 2e-3, 3e-3], wrong: null)]);
        var summary = await bench.Run([Case], Sizes, rounds: 3, reported.Add);
        var cores = $"4 on {Environment.ProcessorCount}";
        Assert.Equal(4, summary.Rows.Count);
        Assert.Equal(["4 silos x 1 rank, peer", cores, "dtrain", "4096", "2000.0", "0.002", "0.003", "3"], summary.Rows[0]);
        Assert.Equal(["4 silos x 1 rank, peer", cores, "memory copy", "104857600", "2000.0", "52.429", "78.643", "-"], summary.Rows[3]);
        Assert.Equal(summary.Rows, reported.Select(r => r.Cells));
        Assert.Equal(["4 silos x 1 rank, peer, 4 KiB, memory copy", "4 silos x 1 rank, peer, 100 MiB, memory copy"], summary.Ratios.Keys);
        Assert.All(summary.Ratios.Values, ratio => Assert.Equal(1, ratio));
    }

    [Fact]
    public async Task Run_BaselineFails_IsLeftOutAndNoted()
    {
        var bench = new AllReduceBench(_ => [new Fake("dtrain", [1e-3, 1e-3], wrong: 0), new Fake("gloo", [1e-3], wrong: 0)]);
        var summary = await bench.Run([Case], Sizes, rounds: 2, _ => { });
        Assert.All(summary.Rows, row => Assert.Equal("dtrain", row[2]));
        Assert.Empty(summary.Ratios);
        Assert.Contains("4 silos x 1 rank, peer: gloo is left out: no more.", summary.Notes);
    }

    [Fact]
    public void Lines_OfABaseline_AreReadAmongItsTalk()
    {
        var figures = ExternalProgram.Lines<AllReduceFigure>(
            "talk\n{\"bytes\": 4096, \"seconds\": 1e-05, \"wrong\": 0}\n{\"bytes\": 8, \"seconds\": 2.5, \"wrong\": 1}\n");
        Assert.Equal([new AllReduceFigure(4096, 1e-5, 0), new AllReduceFigure(8, 2.5, 1)], figures);
        Assert.Throws<BaselineException>(() => ExternalProgram.Lines<AllReduceFigure>("nothing"));
        Assert.Throws<BaselineException>(() => ExternalProgram.Lines<AllReduceFigure>("{broken"));
    }

    [Fact]
    public async Task ExternalProgram_Fails_SaysItsLastLine()
    {
        var external = new ExternalProgram(CancellationToken.None);
        Assert.Equal("out\n", await external.Run("/bin/sh", ["-c", "echo out; echo talk >&2"]));
        var failed = await Assert.ThrowsAsync<BaselineException>(
            () => external.Run("/bin/sh", ["-c", "echo first >&2; echo last >&2; exit 3"]));
        Assert.Equal("sh ended with code 3: last", failed.Message);
        await Assert.ThrowsAsync<BaselineException>(() => external.Run("/nowhere/program", []));
        Assert.Null(ExternalProgram.Find("no-such-program-anywhere"));
    }

    private sealed class Fake(string name, double[] seconds, long? wrong) : IAllReduceContender
    {
        private int round;

        public string Name => name;

        public Task<IReadOnlyList<AllReduceFigure>> Run(IReadOnlyList<SizedRun> sizes)
        {
            if (round == seconds.Length) throw new BaselineException("no more");
            var took = seconds[round++];
            return Task.FromResult<IReadOnlyList<AllReduceFigure>>([.. sizes.Select(s => new AllReduceFigure(s.Bytes, took, wrong))]);
        }
    }
}
