using System.Diagnostics;
using System.Net;
using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Grains.Coordination;
using Distributed.Grains.Jobs;
using Distributed.Silo.Bench.Cluster;
using Distributed.Silo.Serve;
using Distributed.Training.Tests.Loop;
using Orleans.Runtime;
using Xunit.Abstractions;

namespace Distributed.Grains.Tests.Silo;

/// <summary>Gradients that go through the coordinator grain share their connections with everything else that silos tell each other.</summary>
[Collection(nameof(TimedAlone))]
public sealed class ResponsivenessTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const int Steps = 200;
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(10);

    private readonly string jobs = Directory.CreateTempSubdirectory("dtrain-test-").FullName;
    private readonly List<SiloApp> silos = [];

    public async Task InitializeAsync()
    {
        silos.Add(await Start("silo-0"));
        silos.Add(await Start("silo-1"));
    }

    public async Task DisposeAsync()
    {
        foreach (var silo in Enumerable.Reverse(silos)) await silo.DisposeAsync();
        Directory.Delete(jobs, recursive: true);
    }

    [Fact]
    public async Task CoordinatorExchange_TwoHundredSteps_OtherCallsAreAnsweredInTime()
    {
        // 3.2 million parameters: 12 MiB of gradients a step, and as much back.
        var job = TrainingHarness.Shapes() with
        {
            Model = new ModelSpec { Name = "mlp", Sizes = new([3072, 1024, 10]) },
            Exchange = GradientExchange.Coordinator,
            Steps = Steps,
        };
        using CancellationTokenSource done = new();
        // An idle grain on the first silo, asked from the second over the connection that carries the gradients.
        var idle = silos[0].Grains.GetGrain<ICoordinatorGrain>("idle");
        await idle.RequestStop(0, default);
        var calls = Ask(silos[1].Grains.GetGrain<ICoordinatorGrain>("idle"), done.Token);
        var events = await BenchJob.Train(silos[0].Grains, "loaded", job, new RunOptions { Ranks = 2, Silos = 2 }, CancellationToken.None);
        await done.CancelAsync();
        var times = (await calls).Order().ToList();
        var completed = events.OfType<CompletedEvent>().Single();
        var (p50, p99) = (times[times.Count / 2], times[(int)(times.Count * 0.99)]);
        output.WriteLine($"{Steps} steps in {completed.Seconds:F1} s; {times.Count} unrelated calls: p50 {p50:F2} ms, p99 {p99:F2} ms, longest {times[^1]:F2} ms");
        Assert.Equal(Steps, completed.Steps);
        Assert.True(times.Count > 100, $"Only {times.Count} calls.");
        Assert.True(p99 < 50, $"p99 of unrelated calls is {p99} ms, expected below 50 ms.");
        var hosts = await silos[0].Grains.GetGrain<IManagementGrain>(0).GetHosts(onlyActive: false);
        Assert.Equal([SiloStatus.Active, SiloStatus.Active], hosts.Values);
    }

    private static async Task<IReadOnlyList<double>> Ask(ICoordinatorGrain idle, CancellationToken done)
    {
        var times = new List<double>();
        using var timer = new PeriodicTimer(Period);
        while (!done.IsCancellationRequested)
        {
            var started = Stopwatch.GetTimestamp();
            await idle.RequestStop(0, default);
            times.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            await timer.WaitForNextTickAsync(CancellationToken.None);
        }

        return times;
    }

    private Task<SiloApp> Start(string name) => SiloApp.Start(new ServeSettings
    {
        Token = "a token for this test alone",
        JobsRoot = jobs,
        SiloName = name,
        Slots = 1,
        Primary = silos.Count > 0 ? IPEndPoint.Parse(silos[0].Endpoint) : null,
    });
}
