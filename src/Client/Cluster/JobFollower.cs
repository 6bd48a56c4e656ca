using Distributed.Client.Following;
using Distributed.Client.Outcomes;
using Distributed.Client.Rendering;
using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Protocol.V1;
using Grpc.Core;

namespace Distributed.Client.Cluster;

/// <summary>Follows a job of a cluster to its end, or until the user turns away.</summary>
internal sealed class JobFollower(
    Jobs.JobsClient jobs, JobId id, bool json, TextWriter output, TextWriter error, TimeProvider time, bool fromNow = false)
{
    private readonly RunProgress progress = new() { IsPartial = fromNow };
    private long first;
    private readonly IProgressView view = ProgressViews.Choose(error, json, time);

    /// <returns>The exit code that the job's result stands for; 0 when the user detached.</returns>
    public async Task<int> FollowAsync()
    {
        var status = await jobs.GetAsync(new GetRequest { Id = id.ToString() }, JobsConnection.Within(time, CancellationToken.None));
        Apply(status);
        if (fromNow) first = FirstNews(status);
        using var interruption = Interruption.Listen(time);
        try
        {
            await view.ShowAsync(progress, changed => ShowEventsAsync(changed, interruption.Asked));
        }
        catch (OperationCanceledException) when (interruption.Asked.IsCancellationRequested)
        {
            if (interruption.ReaderIsGone) return ExitCode.ReaderGone;
            view.Say($"Detached; the job continues. 'dtrain watch {id}' follows it again, 'dtrain stop {id}' ends it.");
            return ExitCode.Done;
        }
        return Conclude();
    }

    private async Task ShowEventsAsync(Action changed, CancellationToken cancel)
    {
        changed();
        var events = EventStream.ReadAsync(jobs, id, new Outage(Outage.Patience, view.Say, time), cancel, first);
        await foreach (var line in QuietTimes.MarkAsync(events, time))
        {
            if (line is null) await AskAsync(cancel);
            else await ShowAsync(line, cancel);
            changed();
        }
    }

    private async Task ShowAsync(string line, CancellationToken cancel)
    {
        if (json) await output.WriteLineAsync(line);
        if (JobEventJson.Read(line) is not { } news) return;
        progress.Apply(news);
        if (EventWords.Describe(news) is { } words) view.Say(words);
        if (news is StepEvent && progress.LastPlannedStep == 0 && long.IsPow2(progress.Steps)) await AskAsync(cancel);
    }

    /// <summary>Events do not say what a queued job waits for.</summary>
    private async Task AskAsync(CancellationToken cancel)
    {
        if (json) return;
        try
        {
            Apply(await jobs.GetAsync(new GetRequest { Id = id.ToString() }, JobsConnection.Within(time, cancel)));
        }
        catch (RpcException)
        {
            // The stream of events finds out, and knows what to do.
        }
    }

    /// <summary>Of a job that has ended its end is all that is left to tell.</summary>
    public static long FirstNews(JobStatus status) =>
        Math.Max(0, status.State is "queued" or "running" ? status.Events : status.Events - 1);

    private void Apply(JobStatus status)
    {
        progress.LastPlannedStep = status.Steps;
        progress.Waiting = status.State == "queued" ? status.Message : null;
    }

    private int Conclude()
    {
        if (progress.End is FailedEvent { Error: var failure })
        {
            error.WriteLine($"dtrain: {JobFailureText.Describe(id, failure)}");
            return ExitCode.Of(failure.Code);
        }
        if (progress.End is null)
            throw new CommandFailure(
                ExitCode.Failed, $"The events of job {id} ended without its result. 'dtrain status {id}' shows its state.");
        if (!json) RunSummary.Write(output, progress, runDirectory: null);
        return ExitCode.Done;
    }
}
