using Distributed.Client.Following;
using Distributed.Core.Jobs;
using Distributed.Protocol.V1;
using Grpc.Core;

namespace Distributed.Client.Cluster;

/// <summary>What a verb does that waits for a job to end.</summary>
internal static class JobEnd
{
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    /// <returns>The job as it ended; as it is now when the user waits no longer, and whether that is so.</returns>
    public static async Task<(JobStatus Status, bool IsInterrupted)> WaitAsync(
        Jobs.JobsClient jobs, JobStatus status, TextWriter error, TimeProvider time)
    {
        using var interruption = Interruption.Listen(time);
        var cancel = interruption.Asked;
        try
        {
            var events = EventStream.ReadAsync(
                jobs, JobId.Parse(status.Id), new Outage(Outage.Patience, error.WriteLine, time), cancel, JobFollower.FirstNews(status));
            await foreach (var _ in events)
            {
                // Only their end counts.
            }
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            await error.WriteLineAsync("No longer waiting; the job ends by itself.");
        }

        return (await jobs.GetAsync(new GetRequest { Id = status.Id }, JobsConnection.Within(time, CancellationToken.None)),
            cancel.IsCancellationRequested);
    }

    /// <summary>Stops a job that waits or runs, without a checkpoint, and waits for its end.</summary>
    /// <returns>False when the user waits no longer, whatever has become of the job.</returns>
    public static async Task<bool> StopAsync(Jobs.JobsClient jobs, JobId id, TextWriter error, TimeProvider time)
    {
        var status = await jobs.GetAsync(new GetRequest { Id = id.ToString() }, JobsConnection.Within(time, CancellationToken.None));
        if (IsOver(status)) return true;
        var (_, interrupted) = await WaitAsync(
            jobs, await jobs.StopAsync(new StopRequest { Id = id.ToString() }, JobsConnection.Within(time, CancellationToken.None)), error,
            time);
        return !interrupted;
    }

    /// <summary>
    /// Deletes a job that has ended. Its last event comes before its ranks have left their silos, so a refusal is not the last word.
    /// </summary>
    public static async Task DeleteAsync(Jobs.JobsClient jobs, JobId id, TimeProvider time)
    {
        var began = time.GetTimestamp();
        while (true)
            try
            {
                await jobs.DeleteAsync(new DeleteRequest { Id = id.ToString() }, JobsConnection.Within(time, CancellationToken.None));
                return;
            }
            catch (RpcException refused) when (IsStillEnding(refused) && time.GetElapsedTime(began) < Settling)
            {
                await Task.Delay(Pause, time);
            }
    }

    /// <summary>Other refusals do not pass by themselves.</summary>
    private static bool IsStillEnding(RpcException refused) =>
        refused.Trailers.GetValue(JobsConnection.CodeTrailer) == ErrorCodes.StillEnding;

    private static bool IsOver(JobStatus status) => status.State is not ("queued" or "running");
}
