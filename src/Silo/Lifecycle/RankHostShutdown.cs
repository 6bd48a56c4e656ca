using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Silo.Ranks;
using Distributed.Silo.Settings;

namespace Distributed.Silo.Lifecycle;

/// <summary>Ends the ranks when the silo leaves; workers that run on would hold its shutdown up.</summary>
internal sealed class RankHostShutdown(RankHost host, ServeSettings settings, IHostApplicationLifetime lifetime) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        lifetime.ApplicationStopping.Register(() => host.AbortAll(new JobError(
            ErrorCodes.SiloLost, $"Silo {settings.SiloName} is leaving; resume from the last checkpoint.", null, settings.SiloName, null,
            null)));
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
