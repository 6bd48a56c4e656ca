using System.Text.Json;
using Distributed.EndToEnd.Tests.Cli;
using Distributed.Testing.Servers;

namespace Distributed.EndToEnd.Tests.Cluster;

/// <summary>Silos are killed, frozen, told to leave; the jobs end with the bits of a calm run.</summary>
public sealed class LossTests
{
    private const int SigTerm = 15;

    internal const string Job = """
        name: lasting
        model: { name: mlp, sizes: [3072, 32, 10] }
        data: { name: shapes, samples: 400 }
        precision: mixed_bfloat16
        globalBatch: 32
        microBatch: 4
        steps: 400
        seed: 3
        optimizer: { name: adamw, lr: 0.001 }
        lossScale: { init: 3e38, interval: 50 }
        checkpoint: { everySteps: 20, keep: 2 }
        workers: { min: 3, max: 4, stepDeadline: 20 }
        """;

    /// <summary>What ran in the list before.</summary>
    private HashSet<(string? Id, int Generation)> before = [];

    private static string StateOf(JsonElement job) => job.GetProperty("state").GetString()!;

    private static bool Runs(IReadOnlyList<JsonElement> jobs, string id, int step) =>
        jobs.Any(j => j.GetProperty("id").GetString() == id && StateOf(j) == "running" && j.GetProperty("step").GetInt64() >= step);

    [StoreFact("redis")]
    public async Task KilledFrozenAndLeavingSilos_SameBitsAsACalmRun()
    {
        using var redis = await RedisServer.StartAsync();
        using var cluster = await Cluster.StartAsync(("DTRAIN_CLUSTERING", "redis"), ("DTRAIN_STORE", redis.Store));
        var job = cluster.Write("job.yaml", Job);
        var calm = (await cluster.RunAsync(
            1, "submit", job, "--id", "calm", "--wait", "--json", "--set", "workers.min=1", "--set", "workers.max=1")).Exits(0).Hash;
        foreach (var signal in new[] { ProcessTable.SigKill, ProcessTable.SigStop, SigTerm })
        {
            var id = $"signal-{signal}";
            (await cluster.RunAsync(1, "submit", job, "--id", id)).Exits(0);
            var running = (await cluster.EventuallyAsync(jobs => Runs(jobs, id, 30))).Single(j => j.GetProperty("id").GetString() == id);
            var victim = running.GetProperty("silos").EnumerateArray().Select(s => s.GetString()!).First(s => s != "silo-1");
            var silo = cluster.Silos[victim[^1] - '0'];
            ProcessTable.Signal(silo.Id, signal);
            var watched = (await cluster.RunAsync(1, "watch", id, "--json")).Exits(0);
            Assert.Equal(calm, watched.Hash);
            var again = Assert.Single(watched.Events, e => e.GetProperty("event").GetString() == "generation");
            Assert.Equal(signal == SigTerm ? $"silo {victim} is leaving" : $"silo {victim} lost", again.GetProperty("reason").GetString());
            Assert.DoesNotContain(victim, again.GetProperty("ranks").EnumerateArray().Select(r => r.GetProperty("silo").GetString()));
            var steps = watched.Events.Where(e => e.GetProperty("event").GetString() == "step")
                .Select(e => e.GetProperty("step").GetInt64()).ToList();
            // Handed over, not a step is done twice.
            if (signal == SigTerm) Assert.Equal(Enumerable.Range(1, 400).Select(i => (long)i), steps);
            // What has been given up changes nothing when it wakes.
            if (signal == ProcessTable.SigStop) ProcessTable.Signal(silo.Id, ProcessTable.SigCont);
            await silo.HasEndedAsync();
            Assert.Equal(calm, (await cluster.RunAsync(1, "watch", id, "--json")).Exits(0).Hash);
            await cluster.ReplaceAsync(victim[^1] - '0');
        }
    }

    [Theory, StoreData("redis"), StoreData("postgres")]
    public async Task JobsOfSeveralUsers_AllSilosKilledOnTheWay_NoneLostNoneTwice(string store)
    {
        const int count = 8;
        using var server = store == "redis" ? (IDisposable)await RedisServer.StartAsync() : await PostgresServer.StartAsync();
        using var cluster = await Cluster.StartAsync(
            ("DTRAIN_CLUSTERING", store), ("DTRAIN_STORE", server is RedisServer redis ? redis.Store : ((PostgresServer)server).Store));
        var job = cluster.Write("job.yaml", Job);
        string[] users = ["ann", "bob", "cleo", "ann"];
        var submitted = await Task.WhenAll(Enumerable.Range(0, count).Select(i => cluster.RunAsAsync(
            users[i % 4], "submit", job, "--id", $"job-{i:00}", "--set", "steps=60", "--set", $"workers.min={1 + (i % 3)}", "--set",
            $"workers.max={3 + (i % 3)}")));
        Assert.All(submitted, s => s.Exits(0));
        var half = await cluster.EventuallyAsync(jobs => QuotasHold(jobs) && jobs.Count(j => StateOf(j) == "completed") >= count * 3 / 10);
        Assert.Equal(count, half.Count);
        foreach (var waiting in half.Where(j => StateOf(j) == "queued").Take(3))
        {
            var id = waiting.GetProperty("id").GetString()!;
            Assert.Matches("waits|running|completed|is the next", (await cluster.RunAsync(1, "why", id)).Exits(0).Output);
        }

        foreach (var silo in cluster.Silos) silo.Kill();
        await cluster.StartSilosAsync();
        var done = await cluster.EventuallyAsync(jobs => QuotasHold(jobs) && jobs.All(j => StateOf(j) == "completed"));
        Assert.Equal(
            Enumerable.Range(0, count).Select(i => $"job-{i:00}"),
            done.Select(j => j.GetProperty("id").GetString()!).Order(StringComparer.Ordinal));
        var hashes = new HashSet<string>();
        for (var i = 0; i < count; i++)
        {
            var watched = (await cluster.RunAsync(1, "watch", $"job-{i:00}", "--json")).Exits(0);
            hashes.Add(watched.Hash);
            Assert.Single(watched.Events, e => e.GetProperty("event").GetString() == "completed");
            // Within a generation every step was reported once.
            var steps = watched.Events.Where(e => e.GetProperty("event").GetString() == "step")
                .Select(e => (e.GetProperty("generation").GetInt32(), e.GetProperty("step").GetInt64())).ToList();
            Assert.Equal(steps.Count, steps.Distinct().Count());
        }

        Assert.Single(hashes);
    }

    /// <summary>A list is not of one moment; but what runs in two of them, in the same generation, ran together in between.</summary>
    private bool QuotasHold(IReadOnlyList<JsonElement> jobs)
    {
        static (string? Id, int Generation) Key(JsonElement job) =>
            (job.GetProperty("id").GetString(), job.GetProperty("generation").GetInt32());
        var seen = jobs.Where(j => StateOf(j) == "running").ToList();
        var running = seen.Where(j => before.Contains(Key(j))).ToList();
        before = [.. seen.Select(Key)];
        Assert.True(
            running.Where(j => j.GetProperty("user").GetString() == "ann").Sum(j => j.GetProperty("ranks").GetInt32()) <= 4,
            "ann has more than 4 ranks.");
        Assert.True(running.Count(j => j.GetProperty("user").GetString() == "bob") <= 1, "bob has more than 1 job running.");
        return true;
    }
}
