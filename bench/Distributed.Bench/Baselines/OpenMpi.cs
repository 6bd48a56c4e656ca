
namespace Distributed.Bench.Baselines;

/// <summary>OpenMPI's MPI_Allreduce, compiled for this run.</summary>
internal sealed class OpenMpi : IDisposable
{
    private const string Source = "allreduce_mpi.c";
    private readonly string directory = Directory.CreateTempSubdirectory("dtrain-bench-mpi-").FullName;
    private readonly ExternalProgram external;
    private readonly string launcher;

    private OpenMpi(ExternalProgram external, string launcher) => (this.external, this.launcher) = (external, launcher);

    /// <summary>For notes: version and place.</summary>
    public string Description { get; private set; } = "";

    private string Program => Path.Combine(directory, "allreduce_mpi");

    /// <exception cref="BaselineException">Compiler or launcher is missing, or does not work.</exception>
    public static async Task<OpenMpi> Compile(ExternalProgram external)
    {
        var (compiler, launcher) = (ExternalProgram.Find("mpicc"), ExternalProgram.Find("mpirun"));
        if (compiler is null || launcher is null)
            throw new BaselineException("mpicc or mpirun is not installed (Debian: openmpi-bin, libopenmpi-dev)");
        var mpi = new OpenMpi(external, launcher);
        try
        {
            mpi.Description = $"{(await external.Run(launcher, ["--version"])).Split('\n')[0].Trim()} ({launcher})";
            await external.Run(compiler, ["-O3", "-o", mpi.Program, ExternalProgram.Baseline(Source)]);
            return mpi;
        }
        catch
        {
            mpi.Dispose();
            throw;
        }
    }

    public IAllReduceContender SharedMemory(int ranks) => new Contender(this, "OpenMPI shared memory", ranks, []);

    public IAllReduceContender Tcp(int ranks) =>
        new Contender(this, "OpenMPI TCP", ranks, ["--mca", "btl", "self,tcp", "--mca", "btl_tcp_if_include", "lo"]);

    public void Dispose() => Directory.Delete(directory, recursive: true);

    private sealed class Contender(OpenMpi mpi, string name, int ranks, string[] transport) : IAllReduceContender
    {
        public string Name => name;

        public async Task<IReadOnlyList<AllReduceFigure>> Run(IReadOnlyList<SizedRun> sizes)
        {
            string[] arguments = ["--allow-run-as-root", "--oversubscribe", .. transport, "-np", $"{ranks}", mpi.Program,
                .. sizes.Select(s => $"{s.Bytes}:{s.Iterations}")];
            return ExternalProgram.Lines<AllReduceFigure>(await mpi.external.Run(mpi.launcher, arguments));
        }
    }
}
