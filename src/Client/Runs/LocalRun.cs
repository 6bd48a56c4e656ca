using Distributed.Client.Cluster;
using Distributed.Client.Following;
using Distributed.Client.Outcomes;
using Distributed.Client.Rendering;
using Distributed.Client.Silo;
using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Core.Spec;
using Distributed.Protocol.V1;
using Grpc.Core;
using JobEvent = Distributed.Core.Events.JobEvent;

namespace Distributed.Client.Runs;

/// <summary>One local run: silos of its own from start to end, a job submitted to it as to a cluster.</summary>
internal sealed class LocalRun(TrainPlan plan, TrainOptions options, RunDirectory directory, RunEnvironment environment, TextWriter output, TextWriter error, TimeProvider time)
{
    private static readonly TimeSpan ReadyDeadline = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan StopDeadline = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(5);

    /// <summary>A silo that answers no ping while its connection stands has frozen, not ended.</summary>
    private static readonly TimeSpan FrozenPatience = TimeSpan.FromSeconds(1);

    /// <summary>The job's own error says more than that a silo ended: its silos find out within seconds.</summary>
    private static readonly TimeSpan LostPatience = TimeSpan.FromSeconds(15);

    /// <summary>The silos are the job's own, and free: it begins at once, or one of them was given up before it had ranks.</summary>
    private static readonly TimeSpan BeginDeadline = TimeSpan.FromSeconds(30);

    private readonly TaskCompletionSource begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly RunProgress progress = new() { LastPlannedStep = Target(plan.Spec.Steps ?? 0, options.StopAt) };
    private readonly IProgressView view = ProgressViews.Choose(error, options.Json, time);
    private string? lastWords;

    private string ResumeCommand => $"dtrain train {options.File} --resume --out {directory.Path}";

    /// <summary>Most memory that one silo has had. In bytes; null before the run's end, or where the system does not say.</summary>
    public long? PeakMemory => progress.PeakMemory;

    public async Task<int> RunAsync()
    {
        using var interruption = Interruption.Listen(time);
        using EventRecorder recorder = new(directory.EventsPath, options.Json ? output : null, interruption.OnReaderGone);
        try
        {
            await using var silos = await StartSilosAsync(interruption.Asked);
            await FollowJobAsync(silos, recorder, interruption);
            progress.PeakMemory = silos.PeakMemory;
        }
        catch (Exception early) when (interruption.Asked.IsCancellationRequested && early is OperationCanceledException or CommandFailure)
        {
            await error.WriteLineAsync("Interrupted before the job began; nothing was trained.");
            return ExitCode.Interrupted;
        }
        return Conclude(interruption.Asked.IsCancellationRequested, interruption.ReaderIsGone);
    }

    private async Task<SiloGroup> StartSilosAsync(CancellationToken cancel)
    {
        SiloOrder only = new(SecretToken.Create(), options.Port, Path.Combine(directory.Path, "jobs"));
        IReadOnlyList<SiloOrder> orders = plan.Silos == 1 ? [only] :
        [
            .. Enumerable.Range(0, plan.Silos).Select(silo => only with { Port = silo == 0 ? options.Port : 0, Silo = $"silo-{silo}", Slots = plan.RanksOf(silo) }),
        ];
        var silos = await SiloGroup.StartAsync(
            SiloLocator.Find(), orders, order => new SiloLog(directory.LogPath(order.Silo), directory.Resumed), ReadyDeadline, time, cancel);
        if (silos.First.Reply.Fingerprint is { } fingerprint) directory.Write(environment with { Fingerprint = fingerprint });
        return silos;
    }

    private async Task FollowJobAsync(SiloGroup silos, EventRecorder recorder, Interruption interruption)
    {
        using JobsConnection connection = new(silos.First.Address, silos.First.Token, Silence);
        using CancellationTokenSource abandoned = new();
        var watching = Task.FromResult<SiloProcess?>(null);
        var beginning = Task.CompletedTask;
        try
        {
            await SubmitAsync(connection, interruption.Asked);
            var following = view.ShowAsync(progress, changed => FollowAsync(connection, recorder, changed, abandoned.Token));
            watching = AbandonWhenLostAsync(silos, following, abandoned);
            beginning = FailWhenNotBegunAsync(connection, silos, recorder, following, abandoned);
            if (!await StopWhenAskedAsync(following, connection, interruption))
            {
                await abandoned.CancelAsync();
                silos.Kill();
            }
            await following;
            if (progress.End is FailedEvent && silos.Lost is { } lost) lastWords = $"{lost.DescribeEnd()} {lost.LastWords()}";
        }
        catch (Exception broken) when (abandoned.IsCancellationRequested && broken is OperationCanceledException or RpcException)
        {
            // Without a lost silo, the part that gave the job up has said why.
            if (await watching is { } lost) await ExplainAsync(lost, recorder, lost.DescribeEnd(), EndPatience);
        }
        catch (RpcException lost)
        {
            var patience = lost.Status.DebugException?.GetBaseException() is HttpProtocolException ? FrozenPatience : EndPatience;
            await ExplainAsync(silos.First, recorder, $"Silo {silos.First.Name} does not answer: its process froze or was stopped ({lost.Status.StatusCode}, {lost.Status.Detail}).", patience);
        }
        finally
        {
            await beginning;
        }
    }

    /// <summary>How long the first silo may keep silent: such that its freezing is known about as soon as that of another, within what a busy machine needs.</summary>
    private TimeSpan Silence => TimeSpan.FromSeconds(Math.Clamp((plan.Spec.Workers.StepDeadline ?? double.MaxValue) - FrozenPatience.TotalSeconds, 4.5, 30));

    /// <summary>A silo that ends takes the job with it: when the job does not say so itself, it is not waited for.</summary>
    /// <returns>The silo for which the job was abandoned; null when it was not.</returns>
    private async Task<SiloProcess?> AbandonWhenLostAsync(SiloGroup silos, Task following, CancellationTokenSource abandoned)
    {
        using CancellationTokenSource done = new();
        var lost = silos.OneIsLostAsync(done.Token);
        await Task.WhenAny(following, lost);
        if (!following.IsCompleted) await Task.WhenAny(following, Task.Delay(LostPatience, time, done.Token));
        await done.CancelAsync();
        if (following.IsCompleted) return null;
        await abandoned.CancelAsync();
        return silos.Lost;
    }

    /// <summary>A job without its silos waits in the queue, here for one that will not come back.</summary>
    private async Task FailWhenNotBegunAsync(JobsConnection connection, SiloGroup silos, EventRecorder recorder, Task following, CancellationTokenSource abandoned)
    {
        await Task.WhenAny(following, begun.Task, Task.Delay(BeginDeadline, time, abandoned.Token));
        if (following.IsCompleted || begun.Task.IsCompleted || abandoned.IsCancellationRequested) return;
        var (why, gone) = await AskWhoIsGoneAsync(connection, silos, following, abandoned.Token);
        if (following.IsCompleted || begun.Task.IsCompleted) return;
        // From here on nobody else writes events.
        await abandoned.CancelAsync();
        await Task.WhenAny(following);
        Fail(recorder, new JobError(
            ErrorCodes.Deadline, $"The job did not begin within {BeginDeadline.TotalSeconds:0} s; {why}. See the logs in {directory.Path}, then start again.", null, gone, "start", null));
    }

    private async Task<(string Why, string? Silo)> AskWhoIsGoneAsync(JobsConnection connection, SiloGroup silos, Task following, CancellationToken cancel)
    {
        try
        {
            var members = await connection.Jobs.ClusterAsync(new ClusterRequest(), JobsConnection.Within(time, cancel));
            string[] gone = [.. silos.Names.Except(members.Silos.Select(s => s.Name))];
            return gone.Length > 0
                ? ($"silo {string.Join(", ", gone)} is gone: its process froze or was cut off", gone[0])
                : ("the silos are there; their logs may say what keeps them", null);
        }
        catch (RpcException silent)
        {
            // When its process froze, who follows the job finds that out in the same moment, and says more.
            await Task.WhenAny(following, Task.Delay(FrozenPatience, time, cancel));
            return ($"silo {silos.First.Name}, which holds the job, does not say why ({silent.StatusCode}, {silent.Status.Detail.TrimEnd('.')})", silos.First.Name);
        }
    }

    private async Task SubmitAsync(JobsConnection connection, CancellationToken cancel)
    {
        SubmitRequest request = new()
        {
            Id = plan.JobId.ToString(),
            SpecJson = JobSpecJson.Write(plan.Spec),
            Options = new RunOptions { Ranks = plan.Ranks, Resume = options.Resume, StopAt = options.StopAt, Silos = plan.Silos },
        };
        try
        {
            await connection.Jobs.SubmitAsync(request, JobsConnection.Within(time, cancel));
        }
        catch (RpcException) when (cancel.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancel);
        }
        catch (RpcException refused) when (!EventStream.IsLostConnection(refused))
        {
            throw new CommandFailure(refused.StatusCode == StatusCode.InvalidArgument ? ExitCode.Usage : ExitCode.Failed, refused.Status.Detail);
        }
    }

    private async Task FollowAsync(JobsConnection connection, EventRecorder recorder, Action changed, CancellationToken cancel)
    {
        await foreach (var json in EventStream.ReadAsync(connection.Jobs, plan.JobId, Outage.NotWaitedFor(time), cancel))
        {
            begun.TrySetResult();
            recorder.Record(json);
            if (JobEventJson.Read(json) is not { } news) continue;
            progress.Apply(news);
            if (EventWords.Describe(news) is { } words) view.Say(words);
            if (news is StepEvent && progress.LastPlannedStep == 0 && long.IsPow2(progress.Steps)) await AskForStepsAsync(connection, cancel);
            changed();
        }
    }

    private async Task AskForStepsAsync(JobsConnection connection, CancellationToken cancel)
    {
        var status = await connection.Jobs.GetAsync(new GetRequest { Id = plan.JobId.ToString() }, JobsConnection.Within(time, cancel));
        progress.LastPlannedStep = Target(status.Steps, options.StopAt);
    }

    /// <returns>False: the job was abandoned, at the user's second sign or because it did not stop in time.</returns>
    private async Task<bool> StopWhenAskedAsync(Task following, JobsConnection connection, Interruption interruption)
    {
        await Task.WhenAny(following, Task.Delay(Timeout.InfiniteTimeSpan, time, interruption.Asked));
        if (following.IsCompleted) return true;
        view.Say($"{(interruption.ReaderIsGone ? "Nobody reads the output any more. " : "")}Stopping after the step in flight, with a checkpoint. Ctrl-C again ends at once, without one.");
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(interruption.AtOnce);
        deadline.CancelAfter(StopDeadline);
        var stopping = connection.Jobs.StopAsync(new StopRequest { Id = plan.JobId.ToString(), Checkpoint = true }, cancellationToken: deadline.Token).ResponseAsync;
        await Task.WhenAny(following, Task.Delay(Timeout.InfiniteTimeSpan, time, deadline.Token));
        if (following.IsCompleted) return true;
        view.Say(interruption.AtOnce.IsCancellationRequested
            ? "Ended at once."
            : $"The job did not stop within {StopDeadline.TotalSeconds:0} s ({stopping.Status}); its silos were ended. See the logs in {directory.Path}.");
        return false;
    }

    /// <summary>The silo fell silent: says how it ended, in the event log too.</summary>
    private async Task ExplainAsync(SiloProcess silo, EventRecorder recorder, string otherwise, TimeSpan patience)
    {
        var message = await silo.HasEndedAsync(patience) ? silo.DescribeEnd() : otherwise;
        lastWords = silo.LastWords();
        Fail(recorder, new JobError(ErrorCodes.SiloLost, message, null, silo.Name, null, progress.Step?.Step));
    }

    private void Fail(EventRecorder recorder, JobError reason)
    {
        FailedEvent failed = new(reason);
        recorder.Record(JobEventJson.Write(failed));
        progress.Apply(failed);
    }

    private int Conclude(bool interrupted, bool readerIsGone)
    {
        switch (progress.End)
        {
            case FailedEvent { Error: var failure }:
                error.WriteLine($"dtrain: {JobFailureText.Describe(plan.JobId, failure)}");
                if (lastWords is not null) error.WriteLine(lastWords);
                error.WriteLine($"run: {directory.Path}");
                if (progress.Checkpoint is not null) error.WriteLine($"Continue from the last checkpoint with: {ResumeCommand}");
                return ExitCode.Of(failure.Code);
            case null when !interrupted:
                error.WriteLine($"dtrain: the events of job {plan.JobId} ended without its result. See the logs in {directory.Path}.");
                return ExitCode.Failed;
        }
        if (!options.Json && !readerIsGone && progress.End is not null) RunSummary.Write(output, progress, directory.Path);
        if (!interrupted) return ExitCode.Done;
        error.WriteLine(progress.Checkpoint is { } checkpoint
            ? $"Interrupted; the last checkpoint is {checkpoint}. Continue with: {ResumeCommand}"
            : "Interrupted; no checkpoint was written.");
        return ExitCode.Interrupted;
    }

    private static long Target(long steps, long stopAt) => stopAt > 0 && (steps == 0 || stopAt < steps) ? stopAt : steps;
}
