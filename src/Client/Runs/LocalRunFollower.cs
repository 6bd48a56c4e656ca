using System.Collections.Concurrent;
using Distributed.Client.Cluster;
using Distributed.Client.Following;
using Distributed.Client.Outcomes;
using Distributed.Client.Rendering;
using Distributed.Client.Silo;
using Distributed.Core.Events;
using Distributed.Core.Spec;
using Distributed.Protocol.V1;
using Grpc.Core;
using JobEvent = Distributed.Core.Events.JobEvent;

namespace Distributed.Client.Runs;

/// <summary>Shell round <see cref="LocalRunLifecycle"/>: submits the job, tells what happens to it and does what follows.</summary>
internal sealed class LocalRunFollower(
    TrainPlan plan,
    TrainOptions options,
    SiloGroup silos,
    JobsConnection connection,
    EventRecorder recorder,
    Interruption interruption,
    RunProgress progress,
    IProgressView view,
    TimeProvider time)
{
    private static readonly TimeSpan LongestWriting = TimeSpan.FromSeconds(2);

    private readonly Lock gate = new();
    private readonly ConcurrentQueue<Task> tasks = new();
    private readonly TaskCompletionSource over = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private LocalRunState state = new(plan, options);

    /// <summary>No event is taken before it has ended.</summary>
    private Task asking = Task.CompletedTask;

    /// <summary>All that is written, one after the other: a reader that takes nothing holds up no change, nor what a change does.</summary>
    private Task writing = Task.CompletedTask;

    /// <summary>What the user is told meanwhile does not wait for the reader of the events.</summary>
    private Task saying = Task.CompletedTask;

    private bool killed;

    /// <summary>Once the run is over.</summary>
    private CancellationToken leaving;

    /// <exception cref="CommandFailure">The silos do not take the job.</exception>
    /// <exception cref="OperationCanceledException">The end was asked for before they did.</exception>
    public async Task FollowAsync()
    {
        using CancellationTokenSource left = new();
        leaving = left.Token;
        try
        {
            await SubmitAsync(interruption.Asked);
            await over.Task;
        }
        finally
        {
            await left.CancelAsync();
            while (tasks.TryDequeue(out var task)) await task;
            await FinishWritingAsync();
        }
    }

    /// <summary>A reader that takes nothing does not keep a user who ends the run at once, or whose job did not stop in time.</summary>
    private async Task FinishWritingAsync()
    {
        if (!killed)
        {
            using CancellationTokenSource written = CancellationTokenSource.CreateLinkedTokenSource(interruption.AtOnce);
            await Task.WhenAny(writing, Task.Delay(Timeout.InfiniteTimeSpan, time, written.Token));
            await written.CancelAsync();
        }

        await Task.WhenAny(Task.WhenAll(writing, saying), Task.Delay(LongestWriting, time, CancellationToken.None));
        if (writing.IsCompleted) await writing;
    }

    /// <summary>What the run comes to, after its silos have gone.</summary>
    public LocalRunEnd Conclude() =>
        LocalRunLifecycle.Conclude(state, interruption.Asked.IsCancellationRequested, interruption.ReaderIsGone);

    /// <summary>One change at a time, each with all that it begins.</summary>
    private void Apply(Func<LocalRunState, LocalRunTransition> change)
    {
        lock (gate)
        {
            (state, var effects) = change(state);
            progress.LastPlannedStep = state.LastPlannedStep;
            foreach (var effect in effects) Do(effect);
            if (state.Stage == LocalRunStage.Over) over.TrySetResult();
        }
    }

    private void Do(LocalRunEffect effect)
    {
        switch (effect)
        {
            case LocalRunEffect.Follow: Follow(); break;
            case LocalRunEffect.Take take: Write(() => Take(take.Json, take.News)); break;
            case LocalRunEffect.AskForSteps: asking = AskForStepsAsync(); break;
            case LocalRunEffect.AskWhoIsThere: Start(AskWhoIsThereAsync); break;
            case LocalRunEffect.LearnEnd learn: Start(() => LearnEndAsync(learn.OfFirst, learn.Patience)); break;
            case LocalRunEffect.Wait wait: Start(() => WaitAsync(wait.Time, wait.Deadline)); break;
            case LocalRunEffect.RequestStop: Start(RequestStopAsync); break;
            case LocalRunEffect.Kill:
                killed = true;
                silos.Kill();
                break;
            case LocalRunEffect.Say say: saying = WriteAfter(saying, () => view.Say(say.Words)); break;
            case LocalRunEffect.Fail fail: Write(() => Take(JobEventJson.Write(fail.Failure), fail.Failure)); break;
            default: throw new NotSupportedException($"No way to carry out {effect.GetType().Name}.");
        }
    }

    private void Write(Action write) => writing = WriteAfter(writing, write);

    private static async Task WriteAfter(Task before, Action write)
    {
        // Not within the change that asks for it.
        await before.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        write();
    }

    private void Start(Func<Task> work) => tasks.Enqueue(RunAsync(work));

    /// <summary>What was not foreseen ends the run.</summary>
    private async Task RunAsync(Func<Task> work)
    {
        // Not within the change that begins it.
        await Task.Yield();
        try
        {
            await work();
        }
        catch (OperationCanceledException) when (leaving.IsCancellationRequested)
        {
            // Nobody waits for it any more.
        }
#pragma warning disable CA1031 // Thrown where the end of the run is awaited; once the run is over, it changes nothing.
        catch (Exception unforeseen)
#pragma warning restore CA1031
        {
            over.TrySetException(unforeseen);
        }
    }

    private async Task SubmitAsync(CancellationToken cancel)
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
            Apply(LocalRunLifecycle.Submitted);
        }
        catch (RpcException) when (cancel.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancel);
        }
        catch (RpcException refused) when (!EventStream.IsLostConnection(refused))
        {
            var code = refused.StatusCode == StatusCode.InvalidArgument ? ExitCode.Usage : ExitCode.Failed;
            throw new CommandFailure(code, refused.Status.Detail);
        }
        catch (RpcException lost)
        {
            LoseConnection(lost);
        }
    }

    private void Follow()
    {
        Start(ShowEventsAsync);
        Start(WatchSilosAsync);
        Start(() => WatchAsync(s => LocalRunLifecycle.Asked(s, interruption.ReaderIsGone), interruption.Asked));
        Start(() => WatchAsync(LocalRunLifecycle.Insisted, interruption.AtOnce));
    }

    private async Task ShowEventsAsync()
    {
        try
        {
            await view.ShowAsync(progress, ReadEventsAsync);
            var lost = state.End is FailedEvent ? silos.Lost : null;
            Apply(s => LocalRunLifecycle.EventsEnded(s, lost is null ? null : $"{lost.DescribeEnd()} {lost.LastWords()}"));
        }
        catch (RpcException lost)
        {
            LoseConnection(lost);
        }
    }

    private async Task ReadEventsAsync(Action changed)
    {
        // A reader that is behind holds up the events, but not the end of a job that was told to stop.
        using CancellationTokenSource unhurried = CancellationTokenSource.CreateLinkedTokenSource(leaving, interruption.Asked);
        // Made once: what is added to it for each event would stay until the end of the run.
        var hurried = Task.Delay(Timeout.InfiniteTimeSpan, time, unhurried.Token).ContinueWith(_ => { }, TaskScheduler.Default);
        await foreach (var json in EventStream.ReadAsync(connection.Jobs, plan.JobId, Outage.NotWaitedFor(time), leaving))
        {
            var news = JobEventJson.Read(json);
            Apply(s => LocalRunLifecycle.Hear(s, json, news));
            await asking;
            await await Task.WhenAny(writing, hurried);
            if (news is not null) changed();
        }
    }

    private void LoseConnection(RpcException lost)
    {
        var froze = lost.Status.DebugException?.GetBaseException() is HttpProtocolException;
        Apply(s => LocalRunLifecycle.ConnectionLost(s, Words(lost), froze));
    }

    private void Take(string json, JobEvent? news)
    {
        recorder.Record(json);
        if (news is null) return;
        progress.Apply(news);
        if (EventWords.Describe(news) is { } words) view.Say(words);
    }

    private async Task AskForStepsAsync()
    {
        var status = await connection.Jobs.GetAsync(new GetRequest { Id = plan.JobId.ToString() }, JobsConnection.Within(time, leaving));
        Apply(s => LocalRunLifecycle.StepsTold(s, status.Steps));
    }

    private async Task AskWhoIsThereAsync()
    {
        try
        {
            var members = await connection.Jobs.ClusterAsync(new ClusterRequest(), JobsConnection.Within(time, leaving));
            Apply(s => LocalRunLifecycle.MembersTold(s, members.Silos.Select(silo => silo.Name), members.Running > 0));
        }
        catch (RpcException silent)
        {
            Apply(s => LocalRunLifecycle.MembersSilent(s, Words(silent)));
        }
    }

    private async Task LearnEndAsync(bool ofFirst, TimeSpan patience)
    {
        var silo = ofFirst ? silos.First : silos.Lost!;
        var end = await silo.HasEndedAsync(patience) ? silo.DescribeEnd() : null;
        Apply(s => LocalRunLifecycle.EndLearned(s, silo.Name, end, silo.LastWords()));
    }

    private async Task WaitAsync(TimeSpan length, LocalRunDeadline deadline)
    {
        await Task.Delay(length, time, leaving);
        Apply(s => LocalRunLifecycle.Passed(s, deadline));
    }

    private async Task RequestStopAsync()
    {
        StopRequest request = new() { Id = plan.JobId.ToString(), Checkpoint = true };
        Task stopping = connection.Jobs.StopAsync(request, cancellationToken: leaving).ResponseAsync;
        await stopping.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Apply(s => LocalRunLifecycle.StopAnswered(s, stopping.Status));
    }

    private async Task WatchSilosAsync()
    {
        await silos.OneIsLostAsync(leaving);
        Apply(LocalRunLifecycle.SiloEnded);
    }

    private async Task WatchAsync(Func<LocalRunState, LocalRunTransition> change, CancellationToken sign)
    {
        // Not on the thread that gives the sign, which may be in the middle of another change.
        TaskCompletionSource given = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = sign.Register(given.SetResult);
        await given.Task.WaitAsync(leaving);
        Apply(change);
    }

    private static string Words(RpcException failed) => $"{failed.StatusCode}, {failed.Status.Detail}";
}
