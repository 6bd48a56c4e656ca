using System.Globalization;

namespace Distributed.Bench.Baselines;

/// <summary>PyTorch with gloo, where a Python of this machine has it.</summary>
internal sealed class PyTorch
{
    /// <summary>Environment variable that names the Python to compare with.</summary>
    public const string Variable = "DTRAIN_PYTHON";

    private const string About = "baseline.py";
    private readonly ExternalProgram external;
    private readonly string python;
    private readonly TorchAbout about;

    private PyTorch(ExternalProgram external, string python, TorchAbout about) =>
        (this.external, this.python, this.about) = (external, python, about);

    /// <summary>For notes: versions, and where they are.</summary>
    public string Description =>
        $"PyTorch {about.Torch} ({python}), BLAS: {about.Blas}{(about.OneDnn is { } version ? $", oneDNN {version}" : "")}";

    /// <param name="named">The Python that the user names; null: the first of this machine that has PyTorch.</param>
    /// <exception cref="BaselineException">No Python here has it.</exception>
    /// <exception cref="FormatException">The named one is not there or does not have it.</exception>
    public static async Task<PyTorch> Find(ExternalProgram external, string? named)
    {
        if (named is not null) return await FindNamed(external, named);
        // The distribution's own first: the one on the PATH may be another without it.
        foreach (var python in new[] { "/usr/bin/python3", ExternalProgram.Find("python3") }.OfType<string>().Where(File.Exists).Distinct())
        {
            try
            {
                return await Ask(external, python);
            }
            catch (BaselineException)
            {
                // The next one may have it.
            }
        }
        throw new BaselineException(
            $"no python3 here can import torch.distributed with gloo; bench/baselines/debian13.sh installs one, {Variable} names it");
    }

    public IAllReduceContender Gloo(int ranks) => new GlooContender(this, ranks);

    /// <summary>Trains with DistributedDataParallel, the same batch per rank.</summary>
    /// <param name="model">As job files name it.</param>
    /// <param name="tuned">With all that PyTorch's documentation advises for CPUs; false: as a first user writes it.</param>
    /// <returns>A figure for each precision.</returns>
    /// <exception cref="BaselineException">It failed.</exception>
    public async Task<IReadOnlyList<DdpFigure>> TrainDdp(int ranks, int steps, string model, bool tuned)
    {
        string[] arguments = [ExternalProgram.Baseline("train_ddp.py"), Text(ranks), Text(steps), model];
        return ExternalProgram.Lines<DdpFigure>(await external.Run(python, tuned ? [.. arguments, "--tuned"] : arguments));
    }

    private static async Task<PyTorch> FindNamed(ExternalProgram external, string named)
    {
        const string remedy =
            "Expected a Python that can import torch.distributed with gloo: bench/baselines/debian13.sh installs one and prints its path. "
            + "Without the variable the bench looks for one itself";
        var python = named.Contains('/', StringComparison.Ordinal) ? Path.GetFullPath(named) : ExternalProgram.Find(named);
        if (!File.Exists(python))
            throw new FormatException(
                $"{Variable} is '{named}', which {(python is null ? "is not on the PATH" : "does not exist")}. {remedy}.");
        try
        {
            return await Ask(external, python);
        }
        catch (BaselineException e)
        {
            throw new FormatException($"{Variable} is '{named}', which does not do: {e.Message}. {remedy}.", e);
        }
    }

    private static async Task<PyTorch> Ask(ExternalProgram external, string python) => new(
        external, python, ExternalProgram.Lines<TorchAbout>(await external.Run(python, [ExternalProgram.Baseline(About)]))[0]);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private sealed class GlooContender(PyTorch torch, int ranks) : IAllReduceContender
    {
        public string Name => "gloo";

        public async Task<IReadOnlyList<AllReduceFigure>> Run(IReadOnlyList<SizedRun> sizes) => ExternalProgram.Lines<AllReduceFigure>(
            await torch.external.Run(
                torch.python,
                [ExternalProgram.Baseline("allreduce_gloo.py"), $"{ranks}", .. sizes.Select(s => $"{s.Bytes}:{s.Iterations}")]));
    }

    /// <param name="Torch">Version.</param>
    /// <param name="Blas">Name and version of the library that multiplies float32 matrices.</param>
    /// <param name="OneDnn">Version; null: not built in.</param>
    private sealed record TorchAbout(string Torch, string Blas, string? OneDnn);
}
