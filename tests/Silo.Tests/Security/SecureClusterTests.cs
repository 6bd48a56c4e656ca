using System.Net;
using System.Security.Cryptography.X509Certificates;
using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Core.Spec;
using Distributed.Grains.Contracts;
using Distributed.Silo.Hosting;
using Distributed.Silo.Security;
using Distributed.Silo.Settings;
using Distributed.Testing.Training;
using Orleans.Runtime;

namespace Distributed.Silo.Tests.Security;

/// <summary>Whole silos in this process that know each other by certificates.</summary>
public sealed class SecureClusterTests : IAsyncLifetime
{
    private const string Token = "a token for this test alone";
    private readonly TestAuthority authority = new TestAuthority().Issue("silo");
    private readonly string jobs = Directory.CreateTempSubdirectory("dtrain-test-").FullName;
    private readonly List<SiloApp> silos = [];

    public async Task InitializeAsync()
    {
        silos.Add(await Start("silo-0", authority.SiloFiles("silo")));
        silos.Add(await Start("silo-1", authority.SiloFiles("silo")));
    }

    public async Task DisposeAsync()
    {
        foreach (var silo in Enumerable.Reverse(silos)) await silo.DisposeAsync();
        Directory.Delete(jobs, recursive: true);
        authority.Dispose();
    }

    [Theory]
    [InlineData(GradientExchange.Peer)]
    [InlineData(GradientExchange.Coordinator)]
    public async Task Train_OnTwoSilos_GivesTheBitsOfOneRankWhileStrangersKnock(GradientExchange exchange)
    {
        using TestAuthority other = new("another authority");
        using X509Certificate2 foreign = other.Issue("silo").Load("silo");
        var job = TrainingHarness.Shapes() with { Exchange = exchange };
        var training = GrainJobs.Train(silos[1].Grains, $"job-{exchange}", job, new RunOptions { Ranks = 2, Silos = 2 });
        var endpoint = IPEndPoint.Parse(silos[0].Endpoint);
        foreach (var certificate in (X509Certificate2?[])[null, foreign]) Assert.False(await Stranger.Knock(endpoint, certificate));
        await Stranger.Babble(endpoint, "GET / HTTP/1.1\r\nHost: silo\r\n\r\n"u8.ToArray());
        var completed = (await training).OfType<CompletedEvent>().Single();
        Assert.Equal(TrainingHarness.Run(job, 1).Hash, completed.WeightsSha256);
    }

    [Fact]
    public async Task Start_SiloWithoutTheClustersCertificates_StaysOutside()
    {
        using TestAuthority other = new("another authority");
        List<Task<SiloApp>> outsiders = [Start("silo-2", other.Issue("silo").SiloFiles("silo")), Start("silo-3", null)];
        Assert.DoesNotContain(await Task.WhenAny([.. outsiders, Task.Delay(TimeSpan.FromSeconds(4), TimeProvider.System)]), outsiders);
        Assert.Equal(2, (await silos[0].Grains.GetGrain<IManagementGrain>(0).GetHosts(onlyActive: false)).Count);
    }

    [Fact]
    public async Task Start_SiloPortInUse_NamesTheVariable()
    {
        var taken = IPEndPoint.Parse(silos[0].Endpoint).Port;
        var error = await Assert.ThrowsAsync<JobException>(
            () => SiloApp.Start(Settings("silo-2", null) with { Network = new NetworkSettings { SiloPort = taken } }));
        Assert.Equal("port-in-use", error.Code);
        Assert.Contains($"DTRAIN_SILO_PORT: port {taken} on 127.0.0.1 is in use", error.Message, StringComparison.Ordinal);
    }

    private Task<SiloApp> Start(string name, PemFiles? files) => SiloApp.Start(Settings(name, files));

    private ServeSettings Settings(string name, PemFiles? files) => new()
    {
        Token = Token,
        JobsRoot = jobs,
        SiloName = name,
        Slots = 1,
        Primary = silos.Count > 0 ? IPEndPoint.Parse(silos[0].Endpoint) : null,
        Network = new NetworkSettings { Silos = files },
    };
}
