using System.Text.Json;
using Distributed.Core.Users;
using Distributed.EndToEnd.Tests.Cli;

namespace Distributed.EndToEnd.Tests.Cluster;

/// <summary>Three silos of two slots each, and the calls of their users.</summary>
internal sealed class Cluster : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(20);

    private readonly ClusterFolder folder = new();
    private readonly (string Name, string Value)[] settings;

    private Cluster(IEnumerable<(string Name, string Value)> settings)
    {
        Users = folder.Write("users.json", UsersFile.Write(
        [
            new UserEntry("ann", UserRole.Submit, AccessToken.DigestHex(TokenOf("ann"))) { Ranks = 4 },
            new UserEntry("bob", UserRole.Submit, AccessToken.DigestHex(TokenOf("bob"))) { Jobs = 1 },
            new UserEntry("cleo", UserRole.Submit, AccessToken.DigestHex(TokenOf("cleo"))) { MaxPriority = 5 },
        ]));
        this.settings = [.. settings, ("DTRAIN_USERS_FILE", Users)];
    }

    public SiloProcess[] Silos { get; private set; } = [];

    private string Users { get; }

    public static async Task<Cluster> StartAsync(params IEnumerable<(string Name, string Value)> settings)
    {
        var cluster = new Cluster(settings);
        await cluster.StartSilosAsync();
        return cluster;
    }

    /// <summary>Starts silos in the places of those that have ended.</summary>
    public async Task StartSilosAsync() =>
        Silos = await Task.WhenAll(Enumerable.Range(0, 3).Select(i => SiloProcess.StartAsync(folder, $"silo-{i}", settings)));

    /// <summary>Starts a silo in the place of one that has ended.</summary>
    public async Task ReplaceAsync(int silo)
    {
        Silos[silo].Dispose();
        Silos[silo] = await SiloProcess.StartAsync(folder, $"silo-{silo}", settings);
    }

    public string Write(string name, string text) => folder.Write(name, text);

    public Task<DtrainResult> RunAsync(int silo, params string[] arguments) => Silos[silo].RunAsync(folder, arguments);

    public Task<DtrainResult> RunAsAsync(string user, params string[] arguments) => DtrainProcess.RunAsync(
        [.. arguments, "--cluster", Silos[1].Address, "--token-file", folder.Write($"{user}.token", TokenOf(user))]);

    public async Task<IReadOnlyList<JsonElement>> ListAsync(int silo = 1) =>
        [.. JsonDocument.Parse((await RunAsync(silo, "list", "--json")).Exits(0).Output).RootElement.EnumerateArray()];

    /// <summary>Asks until the jobs are as expected.</summary>
    public async Task<IReadOnlyList<JsonElement>> EventuallyAsync(Func<IReadOnlyList<JsonElement>, bool> expected, int silo = 1)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            var jobs = await ListAsync(silo);
            if (expected(jobs)) return jobs;
            Assert.False(patience.IsCancellationRequested, $"Not as expected after {Patience.TotalSeconds} s: {string.Join('\n', jobs)}");
            await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System);
        }
    }

    public void Dispose()
    {
        foreach (var silo in Silos) silo.Dispose();
        folder.Dispose();
    }

    private static string TokenOf(string user) => $"the token of {user} for this test";
}
