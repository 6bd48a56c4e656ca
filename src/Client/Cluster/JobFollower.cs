using Distributed.Client.Rendering;
using Distributed.Client.Runs;
using Distributed.Core.Events;
using Distributed.Protocol.V1;

namespace Distributed.Client.Cluster;

/// <summary>Follows a job of a cluster to its end, or until the user turns away.</summary>
internal static class JobFollower
{
    /// <returns>The exit code that the job's result stands for; 0 when the user detached.</returns>
    public static async Task<int> FollowAsync(
        Jobs.JobsClient jobs, string id, bool json, TextWriter output, TextWriter error, TimeProvider time)
    {
        var status = await jobs.GetAsync(new GetRequest { Id = id }, JobsConnection.Within(time, CancellationToken.None));
        RunProgress progress = new() { LastPlannedStep = status.Steps };
        var view = ProgressViews.Choose(error, json, time);
        using var interruption = Interruption.Listen(time);
        try
        {
            await view.ShowAsync(progress, async changed =>
            {
                await foreach (var line in EventStream.ReadAsync(jobs, id, EventStream.MostFailuresInARow, time, interruption.Asked))
                {
                    if (json) WriteLine(output, line);
                    if (JobEventJson.Read(line) is not { } news) continue;
                    progress.Apply(news);
                    if (news is WarningEvent warning) view.Say($"warning: {warning.Message}");
                    changed();
                }
            });
        }
        catch (OperationCanceledException) when (interruption.Asked.IsCancellationRequested)
        {
            view.Say($"Detached; the job goes on. 'dtrain watch {id}' follows it again, 'dtrain stop {id}' ends it.");
            return ExitCode.Done;
        }
        return Conclude(id, progress, json, output, error);
    }

    private static int Conclude(string id, RunProgress progress, bool json, TextWriter output, TextWriter error)
    {
        if (progress.End is FailedEvent { Error: var failure })
        {
            error.WriteLine($"dtrain: {JobFailureText.Describe(id, failure)}");
            return ExitCode.Of(failure.Code);
        }
        if (progress.End is null) throw new CommandFailure(ExitCode.Failed, $"The events of job {id} ended without its result. 'dtrain status {id}' shows its state.");
        if (!json) RunSummary.Write(output, progress, runDirectory: null);
        return ExitCode.Done;
    }

    private static void WriteLine(TextWriter output, string line) => output.WriteLine(line);
}
