using System.Net;
using Distributed.Core.Events;
using Distributed.Core.Models;
using Distributed.Core.Spec;
using Distributed.Grains.Contracts;
using Distributed.Silo.Hosting;
using Distributed.Silo.Settings;
using Distributed.Testing.Training;
using Orleans.Runtime;

namespace Distributed.Silo.Tests;

/// <summary>
/// Gradients that go through the coordinator grain share their connections with everything else that silos tell each other;
/// <c>dtrain bench latency</c> says how long others wait.
/// </summary>
public sealed class ResponsivenessTests : IAsyncLifetime
{
    private const int Steps = 20;

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
    public async Task CoordinatorExchange_GradientsOnTheWay_OtherCallsAreAnswered()
    {
        // 3.2 million parameters: 12 MiB of gradients a step, and as much back.
        var job = TrainingHarness.Shapes() with
        {
            Model = ModelSpec.Of(new MlpOptions { Sizes = new([3072, 1024, 10]) }),
            Exchange = GradientExchange.Coordinator,
            Steps = Steps,
        };
        using CancellationTokenSource done = new();
        // An idle grain on the first silo, asked from the second over the connection that carries the gradients.
        var idle = silos[0].Grains.GetGrain<ICoordinatorGrain>("idle");
        await idle.RequestStop(new(0), default);
        var calls = Ask(silos[1].Grains.GetGrain<ICoordinatorGrain>("idle"), done.Token);
        var events = await GrainJobs.Train(silos[0].Grains, "loaded", job, new RunOptions { Ranks = 2, Silos = 2 });
        await done.CancelAsync();
        Assert.Equal(Steps, events.OfType<CompletedEvent>().Single().Steps);
        // One call after the other: that many found their way between the gradients.
        Assert.True(await calls > Steps, $"Only {await calls} calls in {Steps} steps.");
        var hosts = await silos[0].Grains.GetGrain<IManagementGrain>(0).GetHosts(onlyActive: false);
        Assert.Equal([SiloStatus.Active, SiloStatus.Active], hosts.Values);
    }

    private static async Task<int> Ask(ICoordinatorGrain idle, CancellationToken done)
    {
        var answered = 0;
        for (; !done.IsCancellationRequested; answered++) await idle.RequestStop(new(0), default);
        return answered;
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
