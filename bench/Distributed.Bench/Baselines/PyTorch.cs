
namespace Distributed.Bench.Baselines;

/// <summary>PyTorch with gloo, where a Python of this machine has it.</summary>
internal sealed class PyTorch
{
    private readonly ExternalProgram external;
    private readonly string python;

    private PyTorch(ExternalProgram external, string python) => (this.external, this.python) = (external, python);

    /// <exception cref="BaselineException">No Python here has it.</exception>
    public static async Task<PyTorch> Find(ExternalProgram external)
    {
        // The distribution's own first: the one on the PATH may be another without it.
        foreach (var python in new[] { "/usr/bin/python3", ExternalProgram.Find("python3") }.OfType<string>().Where(File.Exists).Distinct())
        {
            try
            {
                await external.Run(python,
                [
                    "-c",
                    "import torch.distributed as d; assert d.is_gloo_available() if hasattr(d, 'is_gloo_available') else d.is_available()",
                ]);
                return new PyTorch(external, python);
            }
            catch (BaselineException)
            {
                // The next one may have it.
            }
        }
        throw new BaselineException("no python3 here can import torch.distributed with gloo (Debian: python3-torch)");
    }

    public IAllReduceContender Gloo(int ranks) => new GlooContender(this, ranks);

    /// <summary>Trains with DistributedDataParallel, the same batch per rank.</summary>
    /// <param name="model">As job files name it.</param>
    /// <returns>A figure for each precision.</returns>
    /// <exception cref="BaselineException">It failed.</exception>
    public async Task<IReadOnlyList<DdpFigure>> TrainDdp(int ranks, int steps, string model) =>
        ExternalProgram.Lines<DdpFigure>(
            await external.Run(python, [ExternalProgram.Baseline("train_ddp.py"), $"{ranks}", $"{steps}", model]));

    private sealed class GlooContender(PyTorch torch, int ranks) : IAllReduceContender
    {
        public string Name => "gloo";

        public async Task<IReadOnlyList<AllReduceFigure>> Run(IReadOnlyList<SizedRun> sizes) => ExternalProgram.Lines<AllReduceFigure>(
            await torch.external.Run(
                torch.python,
                [ExternalProgram.Baseline("allreduce_gloo.py"), $"{ranks}", .. sizes.Select(s => $"{s.Bytes}:{s.Iterations}")]));
    }
}

/// <param name="Precision">As job files name it.</param>
internal sealed record DdpFigure(string Model, string Precision, double SamplesPerSecond);
