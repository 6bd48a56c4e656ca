using Distributed.Grains.Contracts;
using Distributed.Grains.Leases;
using Distributed.Grains.Jobs;
using Distributed.Grains.Placement;
using Distributed.Grains.Queue;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Runtime;
using Orleans.Runtime.Hosting;

namespace Distributed.Grains;

/// <summary>Adds the control plane to a silo.</summary>
public static class TrainingSiloBuilderExtensions
{
    /// <summary>
    /// Registers placement, the directory, quick failure detection and the clock. The host adds an <see cref="IRankHost"/>, may add
    /// <see cref="IJobJournals"/> and <see cref="IUserQuotas"/>, an <see cref="IChunkReducers"/> and grain storage
    /// <see cref="StorageNames.Jobs"/>.
    /// </summary>
    public static ISiloBuilder AddTraining(this ISiloBuilder builder)
    {
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.TryAddSingleton<IUserQuotas, NoQuotas>();
        builder.Services.TryAddSingleton<SiloDrain>();
        builder.Services.AddSingleton<LocalJobs>().AddSingleton<IDeviceServices, DeviceServices>().AddHostedService<QueueKeeper>();
        builder.AddGrainService<DeviceService>();
        builder.Services.AddPlacementDirector<OnNamedSilo, OnNamedSiloDirector>();
        builder.Services.AddPlacementDirector<OnWillingSilo, OnWillingSiloDirector>();
        // Grains without a wish of their own, those of the memory storage among them, lie where they are first called: with the jobs.
        builder.Services.AddSingleton<PlacementStrategy, PreferLocalPlacement>();
        return builder.StoreIdsPlainly().KeepGrainsOfSurvivors().NoticeLostSilos().RestWhenIdle();
    }

    /// <summary>
    /// Orleans' default directory ends every grain that a lost silo held the entry of, wherever it runs: a job with its event log, too.
    /// </summary>
    private static ISiloBuilder KeepGrainsOfSurvivors(this ISiloBuilder builder)
    {
#pragma warning disable ORLEANSEXP003 // Experimental by name; holds entries of lost silos by asking the survivors.
        builder.AddDistributedGrainDirectory();
#pragma warning restore ORLEANSEXP003
        // Nothing of a lost silo is waited for: worker keys name the silo's own generation, and jobs fence by theirs.
        return builder.Configure<GrainDirectoryOptions>(o => o.RangeLeaseDuration = TimeSpan.Zero);
    }

    /// <summary>A silo that is killed or frozen counts as dead within seconds; the defaults take up to 68 s.</summary>
    private static ISiloBuilder NoticeLostSilos(this ISiloBuilder builder) => builder.Configure<ClusterMembershipOptions>(o =>
    {
        // A little less than one and two seconds: the silo's clock rounds up, and fires at those.
        o.ProbeTimeout = o.MinProbeTimeout = TimeSpan.FromSeconds(0.95);
        o.MaxProbeTimeout = TimeSpan.FromSeconds(1.95);
        o.NumMissedProbesLimit = 2;
        o.NumVotesForDeathDeclaration = 1;
        // A frozen silo's sockets stay open and say nothing of it.
        o.EnableConnectionLivenessCheck = false;
    });

    /// <summary>
    /// No grain is placed by load, so silos need not tell each other of theirs every second: that would be a good part of what
    /// an idle cluster uses.
    /// </summary>
    private static ISiloBuilder RestWhenIdle(this ISiloBuilder builder) => builder.Configure<DeploymentLoadPublisherOptions>(
        o => o.DeploymentLoadPublisherRefreshTime = TimeSpan.FromMinutes(1));
}
