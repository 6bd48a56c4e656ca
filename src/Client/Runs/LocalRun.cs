using Distributed.Client.Cluster;
using Distributed.Client.Following;
using Distributed.Client.Outcomes;
using Distributed.Client.Rendering;
using Distributed.Client.Silo;

namespace Distributed.Client.Runs;

/// <summary>One local run: silos of its own from start to end, a job submitted to it as to a cluster.</summary>
internal sealed class LocalRun(
    TrainPlan plan,
    TrainOptions options,
    RunDirectory directory,
    RunEnvironment environment,
    TextWriter output,
    TextWriter error,
    TimeProvider time)
{
    private static readonly TimeSpan ReadyDeadline = TimeSpan.FromMinutes(3);

    private readonly RunProgress progress = new();

    /// <summary>Most memory that one silo has had. In bytes; null before the run's end, or where the system does not say.</summary>
    public long? PeakMemory => progress.PeakMemory;

    /// <summary>How long the first silo may keep silent: its freezing is known about as soon as that of another.</summary>
    /// <remarks>Within what a busy machine needs.</remarks>
    private TimeSpan Silence => TimeSpan.FromSeconds(
        Math.Clamp((plan.Spec.Workers.StepDeadline ?? double.MaxValue) - LocalRunLifecycle.FrozenPatience.TotalSeconds, 4.5, 30));

    public async Task<int> RunAsync()
    {
        using var interruption = Interruption.Listen(time);
        using EventRecorder recorder = new(directory.EventsPath, options.Json ? output : null, interruption.OnReaderGone);
        LocalRunEnd end;
        try
        {
            end = await FollowJobAsync(recorder, interruption);
        }
        catch (Exception early) when (LocalRunLifecycle.NotSubmitted(early, interruption.Asked.IsCancellationRequested) is { } none)
        {
            end = none;
        }

        if (end.HasSummary) RunSummary.Write(output, progress, directory.Path);
        foreach (var words in end.Words) await error.WriteLineAsync(words);
        return end.ExitCode;
    }

    private async Task<LocalRunEnd> FollowJobAsync(EventRecorder recorder, Interruption interruption)
    {
        LocalRunFollower follower;
        await using (var silos = await StartSilosAsync(interruption.Asked))
        {
            using JobsConnection connection = new(silos.First.Address, silos.First.Token, Silence);
            var view = ProgressViews.Choose(error, options.Json, time);
            follower = new(plan, options, silos, connection, recorder, interruption, progress, view, time);
            await follower.FollowAsync();
            progress.PeakMemory = silos.PeakMemory;
        }

        return follower.Conclude();
    }

    private async Task<SiloGroup> StartSilosAsync(CancellationToken cancel)
    {
        SiloOrder only = new(SecretToken.Create(), options.Port, Path.Combine(directory.Path, "jobs"));
        IReadOnlyList<SiloOrder> orders = plan.Silos == 1 ? [only] : [.. Enumerable.Range(0, plan.Silos).Select(OrderOf)];
        var silos = await SiloGroup.StartAsync(SiloLocator.Find(), orders, LogOf, ReadyDeadline, time, cancel);
        if (silos.First.Reply.Fingerprint is { } fingerprint) directory.Write(environment with { Fingerprint = fingerprint });
        return silos;

        SiloOrder OrderOf(int silo) => only with { Port = silo == 0 ? only.Port : 0, Silo = plan.NameOf(silo), Slots = plan.RanksOf(silo) };
        SiloLog LogOf(SiloOrder order) => new(directory.LogPath(order.Silo), directory.Resumed);
    }
}
