using System.Diagnostics;
using System.Net;
using Distributed.Bench.Figures;
using Distributed.Core.DataSets;
using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Core.LossScaling;
using Distributed.Core.Models;
using Distributed.Core.Spec;
using Distributed.Core.Stepping;
using Distributed.Grains.Contracts;

namespace Distributed.Bench.Latency;

/// <summary>Times calls of coordinator grains, made from another process than theirs.</summary>
/// <param name="train">Trains a job on so many ranks and silos.</param>
/// <param name="endpoints">Addresses of the silos.</param>
internal sealed class LatencyProbe(
    IGrainFactory grains, Func<JobSpec, int, int, Task<IReadOnlyList<JobEvent>>> train, IReadOnlyList<string> endpoints)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan ProbeDeadline = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(10);
    private Generation generation;

    /// <summary>Calls that change nothing, one after the other.</summary>
    public async Task<LatencyFigures> Empty(int calls)
    {
        var idle = grains.GetGrain<ICoordinatorGrain>("idle");
        var times = new List<double>();
        for (var i = 0; i < calls; i++) times.Add(await Time(() => idle.RequestStop(Generation.None, default)));
        return LatencyFigures.Of(times);
    }

    /// <summary>From the last silo's vote to the decision; the others' votes wait in the grain by then.</summary>
    /// <exception cref="JobException">Silos were given different decisions.</exception>
    public async Task<LatencyFigures> Votes(int silos, int steps)
    {
        var (coordinator, names) = await Open($"votes-{silos}", silos, steps);
        var state = Start;
        var times = new List<double>();
        for (var step = 0; step < steps; step++)
        {
            var vote = Vote(state);
            var early = names[..^1].Select(name => coordinator.Vote(name, steps, vote)).ToList();
            // Answered behind the votes before it.
            await coordinator.RequestStop(Generation.None, default);
            VoteReply? last = null;
            times.Add(await Time(async () => last = await coordinator.Vote(names[^1], steps, vote)));
            foreach (var reply in await Task.WhenAll(early))
                if (reply.Decision != last!.Decision)
                    throw new JobException(
                        ErrorCodes.Divergence, $"Step {step + 1}: one silo was told {reply.Decision}, another {last.Decision}.");
            state = last!.Decision!.After;
        }
        return LatencyFigures.Of(times);
    }

    /// <summary>From the first vote to the last decision, where all silos vote at once.</summary>
    /// <returns>Seconds: the median. Calls of one process stand for the silos', so the time of making them counts too.</returns>
    public async Task<double> Decisions(int silos, int steps)
    {
        var (coordinator, names) = await Open($"decisions-{silos}", silos, steps);
        var state = Start;
        var times = new List<double>();
        for (var step = 0; step < steps; step++)
        {
            var vote = Vote(state);
            VoteReply[] replies = [];
            var took = await Time(async () => replies = await Task.WhenAll(names.Select(name => coordinator.Vote(name, steps, vote))));
            times.Add(took / 1e3);
            state = replies[0].Decision!.After;
        }
        return SteadySteps.Median(times);
    }

    /// <summary>Calls of an idle grain while two silos send each other's gradients through the coordinator.</summary>
    public async Task<LatencyFigures> Loaded(int steps)
    {
        using CancellationTokenSource done = new();
        var calls = Ask(done.Token);
        await train(Job(steps) with { Exchange = GradientExchange.Coordinator }, 2, 2);
        await done.CancelAsync();
        return LatencyFigures.Of(await calls);
    }

    /// <summary>Health probes of silos whose ranks keep all cores busy.</summary>
    public async Task<LatencyFigures> Probed(int steps)
    {
        var unanswered = 0;
        using CancellationTokenSource done = new();
        var calls = Repeat(async asked => unanswered += await IsReady(endpoints[asked % endpoints.Count]) ? 0 : 1, done.Token);
        await train(Job(steps), Math.Max(2, Environment.ProcessorCount), 2);
        await done.CancelAsync();
        return LatencyFigures.Of(await calls) with { Unanswered = unanswered };
    }

    /// <summary>As a kubelet asks: each time over a new connection.</summary>
    private static async Task<bool> IsReady(string endpoint)
    {
        using SocketsHttpHandler handler = new() { UseProxy = false };
        using HttpClient http = new(handler)
        {
            Timeout = ProbeDeadline,
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        try
        {
            using var answer = await http.GetAsync(new Uri(new Uri(endpoint), "/healthz/ready"));
            return answer.IsSuccessStatusCode;
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            return false;
        }
    }

    private static TrainerState Start => new(0, 0, new LossScaleState(1, 0, 1, -1, 0));

    private StepVote Vote(TrainerState state) =>
        new(generation, state, FoundInf: false, NormSquared: 4, LossSum: 64, Items: 64, NonFinite: null);

    private async Task<(ICoordinatorGrain Coordinator, string[] Names)> Open(string id, int silos, int steps)
    {
        string[] names = [.. Enumerable.Range(0, silos).Select(i => $"silo-{i}")];
        var coordinator = grains.GetGrain<ICoordinatorGrain>(id);
        generation = generation.Next;
        await coordinator.Open(new GenerationSetup(generation, JobSpecJson.Write(Job(steps)), [.. names], Deadline, Deadline));
        return (coordinator, names);
    }

    private Task<IReadOnlyCollection<double>> Ask(CancellationToken done)
    {
        var idle = grains.GetGrain<ICoordinatorGrain>("idle");
        return Repeat(_ => idle.RequestStop(Generation.None, default), done);
    }

    private static async Task<IReadOnlyCollection<double>> Repeat(Func<int, Task> call, CancellationToken done)
    {
        var times = new List<double>();
        using var timer = new PeriodicTimer(Period);
        do
        {
            times.Add(await Time(() => call(times.Count)));
            await timer.WaitForNextTickAsync(CancellationToken.None);
        }
        while (!done.IsCancellationRequested);
        return times;
    }

    private static async Task<double> Time(Func<Task> call)
    {
        var started = Stopwatch.GetTimestamp();
        await call();
        return Stopwatch.GetElapsedTime(started).TotalMilliseconds;
    }

    /// <summary>12 MiB of gradients a step.</summary>
    private static JobSpec Job(int steps) => new()
    {
        Name = "latency",
        Model = ModelSpec.Of(new MlpOptions { Sizes = new([3072, 1024, 10]) }),
        Data = DataSpec.Of(new ShapesOptions { Samples = 256 }),
        GlobalBatch = 32,
        MicroBatch = 16,
        Steps = steps,
    };
}
