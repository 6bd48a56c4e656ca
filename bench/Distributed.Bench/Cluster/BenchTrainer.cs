using System.Security.Cryptography;
using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Core.Spec;
using Distributed.Grains.Contracts;
using Distributed.Silo.Hosting;
using Distributed.Silo.Settings;

namespace Distributed.Bench.Cluster;

/// <summary>Runs jobs in this process the way a cluster does: through the job's grain, the coordinator and the workers.</summary>
internal sealed class BenchTrainer : IAsyncDisposable
{
    private readonly SiloApp app;
    private readonly string directory;
    private int jobs;

    private BenchTrainer(SiloApp app, string directory)
    {
        this.app = app;
        this.directory = directory;
    }

    public static async Task<BenchTrainer> Start()
    {
        var directory = Directory.CreateTempSubdirectory("dtrain-bench-jobs-").FullName;
        var settings = new ServeSettings { Token = Convert.ToHexString(RandomNumberGenerator.GetBytes(32)), JobsRoot = directory };
        return new BenchTrainer(await SiloApp.Start(settings), directory);
    }

    /// <summary>Trains a job to its end and returns its events.</summary>
    /// <exception cref="JobException">The job was refused or failed.</exception>
    public Task<IReadOnlyList<JobEvent>> Train(JobSpec spec, int ranks) =>
        BenchJob.Train(app.Grains, $"bench-{++jobs}", spec, new RunOptions { Ranks = ranks }, CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        Directory.Delete(directory, recursive: true);
    }
}
