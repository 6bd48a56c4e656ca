using Distributed.Client.Outcomes;
using Distributed.Core.Jobs;
using Distributed.Protocol.V1;
using Grpc.Core;

namespace Distributed.Client.Cluster;

/// <summary>Hands a job in under an id, so that a lost answer neither loses the job nor makes it twice.</summary>
internal static class Submission
{
    /// <param name="request">With an id: the same one again is the same job.</param>
    /// <exception cref="CommandFailure">Whether the job was taken is not known; the message tells how to find out.</exception>
    /// <exception cref="RpcException">It was refused, or never arrived.</exception>
    public static async Task<SubmitReply> SendAsync(Jobs.JobsClient jobs, SubmitRequest request, Action<string> say, TimeProvider time)
    {
        try
        {
            return await jobs.SubmitAsync(request, JobsConnection.Within(time, CancellationToken.None));
        }
        catch (RpcException failed) when (IsOfTheStore(failed))
        {
            throw Unknown(request, ExitCode.Failed, $"[{ErrorCodes.Storage}] {failed.Status.Detail}");
        }
        catch (RpcException lost) when (MayHaveArrived(lost))
        {
            say($"The answer to the submission was lost; asking about job {request.Id}.");
            return await AskAsync(jobs, request, lost, time);
        }
    }

    private static async Task<SubmitReply> AskAsync(Jobs.JobsClient jobs, SubmitRequest request, RpcException lost, TimeProvider time)
    {
        try
        {
            // The question is the submission itself: it is answered with the job that is there, or taken now.
            return await jobs.SubmitAsync(request, JobsConnection.Within(time, CancellationToken.None));
        }
        catch (RpcException again) when (MayHaveArrived(again) || IsOfTheStore(again))
        {
            throw IsOfTheStore(again)
                ? Unknown(request, ExitCode.Failed, $"[{ErrorCodes.Storage}] {again.Status.Detail}")
                : Unknown(request, ExitCode.Unreachable, $"The cluster went away: {lost.Status.Detail}");
        }
    }

    private static CommandFailure Unknown(SubmitRequest request, int code, string why) => new(
        code,
        $"{why.TrimEnd('.')}. It is not known whether job {request.Id} was accepted. Submit it again with --id {request.Id}, "
        + $"which never creates a second job, or ask 'dtrain status {request.Id}'.");

    /// <summary>The job may be stored although the answer does not say so.</summary>
    private static bool MayHaveArrived(RpcException lost) =>
        lost.StatusCode is StatusCode.DeadlineExceeded or StatusCode.Cancelled
        || (lost.StatusCode is StatusCode.Unavailable or StatusCode.Internal && lost.Status.DebugException is null or IOException
            or HttpRequestException { InnerException: IOException or HttpProtocolException });

    private static bool IsOfTheStore(RpcException failed) => failed.Trailers.GetValue(JobsConnection.CodeTrailer) == ErrorCodes.Storage;
}
