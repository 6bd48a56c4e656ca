using Distributed.Grains.Contracts;
using Distributed.Testing;

namespace Distributed.Grains.Tests.Cluster;

/// <summary>A silo that leaves takes no grain's answers with it.</summary>
public sealed class LeavingTests : IAsyncLifetime
{
    /// <summary>Ends a hang, nothing else.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private TrainingCluster cluster = null!;

    public async Task InitializeAsync() =>
        cluster = await TrainingCluster.Start(2, storage: new SharedStorage(), longestPoll: TimeSpan.FromHours(1));

    public async Task DisposeAsync() => await cluster.DisposeAsync();

    /// <summary>A grain leaves when its calls have ended: one that waits for the job's next line would hold up all others.</summary>
    [Fact]
    public async Task Stop_SiloOfAJobThatIsWatched_EndsTheWaitAndTheJobAnswersElsewhere()
    {
        // Too large for the cluster: it waits in the queue, and nothing happens.
        await cluster.GrainsIn(1).GetGrain<IJobGrain>("watched").Submit(Specs.Lasting(min: 8, max: 8));
        // Its own silo's call, as its relay makes it.
        var wait = cluster.GrainsIn(1).GetGrain<IJobGrain>("watched").ReadEvents(0, 10, TimeSpan.FromHours(1));
        await Eventually.Is(() => cluster.GrainsIn(1).GetGrain<IJobGrain>("watched").Status(), report => report?.Phase == JobPhase.Queued);
        Assert.False(wait.IsCompleted);

        var left = cluster.StopSecond();
        var page = await wait.WaitAsync(Patience);
        Assert.Empty(page!.Events);
        Assert.False(page.Final);
        await left.WaitAsync(Patience);
        Assert.Equal(JobPhase.Queued, (await cluster.GrainsIn(0).GetGrain<IJobGrain>("watched").Status().WaitAsync(Patience))?.Phase);
    }
}
