using Distributed.Core.Jobs;
using Distributed.Grains.Placement;
using Distributed.Silo.Lifecycle;
using Distributed.Silo.Ranks;
using Distributed.Silo.Settings;
using Microsoft.Extensions.Logging.Abstractions;

namespace Distributed.Silo.Tests.Serve;

/// <summary>A silo that leaves beside one that froze.</summary>
public sealed class DepartureTests
{
    private static readonly TimeSpan Hang = TimeSpan.FromMinutes(2);
    private readonly SteppedTime time = new();
    private readonly RanksHere ranks = new() { Jobs = { JobId.Parse("frozen"), JobId.Parse("well") } };
    private readonly FakeJobGrain frozen = new() { Moving = () => new TaskCompletionSource().Task };
    private readonly FakeJobGrain well = new();
    private readonly Departure departure;

    public DepartureTests()
    {
        var grains = FakeGrains.WithJobs(id => id == "frozen" ? frozen : well);
        departure = new(
            new SiloDrain(), ranks, grains, new ServeSettings { Token = "", JobsRoot = "/" }, time, NullLogger<Departure>.Instance);
        well.Moving = () =>
        {
            // It takes the second time of asking.
            if (well.Moves == 2) ranks.Jobs.Remove(JobId.Parse("well"));
            return Task.CompletedTask;
        };
    }

    private async Task Pass(TimeSpan by)
    {
        await time.Waited().WaitAsync(Hang);
        time.Advance(by);
    }

    [Fact]
    public async Task Drain_JobThatDoesNotAnswer_HoldsUpNeitherTheOthersNorTheEnd()
    {
        var drain = departure.Drain(TimeSpan.FromSeconds(1), CancellationToken.None);
        await Pass(TimeSpan.FromMilliseconds(200));
        await Pass(TimeSpan.FromMilliseconds(200));
        await time.Waited().WaitAsync(Hang);
        Assert.Equal([JobId.Parse("frozen")], ranks.Jobs);
        Assert.Equal((1, 2), (frozen.Moves, well.Moves));
        await Pass(TimeSpan.FromSeconds(1));
        await drain.WaitAsync(Hang);
    }

    [Fact]
    public async Task Drain_ToldAgain_EndsTheWaitForAJobThatDoesNotAnswer()
    {
        using CancellationTokenSource now = new();
        var drain = departure.Drain(TimeSpan.FromMinutes(90), now.Token);
        await time.Waited().WaitAsync(Hang);
        await now.CancelAsync();
        await drain.WaitAsync(Hang);
        Assert.Equal(1, frozen.Moves);
    }

    private sealed class RanksHere : IRankJobs
    {
        public HashSet<JobId> Jobs { get; } = [];

        IReadOnlyCollection<JobId> IRankJobs.Jobs => Jobs;

        event Action? IRankJobs.Begun { add { } remove { } }
    }
}
