namespace Distributed.Bench.Baselines;

/// <summary>What is installed here to compare with, and notes about what is not.</summary>
internal sealed class BaselineSet : IDisposable
{
    private readonly List<string> notes = [];

    /// <value>Null: not here.</value>
    public OpenMpi? Mpi { get; private set; }

    /// <value>Null: not here.</value>
    public PyTorch? Torch { get; private set; }

    public IReadOnlyList<string> Notes => notes;

    /// <summary>Looks for none.</summary>
    public static BaselineSet None() => new() { notes = { "Other programs were not looked for (--quick)." } };

    /// <exception cref="FormatException">The Python that the user names does not do.</exception>
    public static async Task<BaselineSet> Look(bool mpi, CancellationToken cancel)
    {
        var set = new BaselineSet();
        var external = new ExternalProgram(cancel);
        if (mpi) await set.Try("OpenMPI", async () => set.Mpi = await OpenMpi.Compile(external));
        await set.Try("PyTorch", async () => set.Torch = await PyTorch.Find(external, Named()));
        if (set.Mpi is { } openMpi) set.notes.Add($"Compared with {openMpi.Description}.");
        if (set.Torch is { } torch) set.notes.Add($"Compared with {torch.Description}.");
        return set;
    }

    public void Dispose() => Mpi?.Dispose();

    private static string? Named() => Environment.GetEnvironmentVariable(PyTorch.Variable) is { Length: > 0 } named ? named : null;

    private async Task Try(string name, Func<Task> look)
    {
        try
        {
            await look();
        }
        catch (BaselineException e)
        {
            notes.Add($"{name} is not compared with: {e.Message}.");
        }
    }
}
