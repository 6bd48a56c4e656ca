using System.Runtime.CompilerServices;
using Distributed.Protocol.V1;
using Grpc.Core;

namespace Distributed.Client.Cluster;

/// <summary>A job's events in order and without gaps, over as many connections as it takes.</summary>
internal static class EventStream
{
    /// <value>Connections that may break one after the other before a cluster counts as gone.</value>
    public const int MostFailuresInARow = 3;
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(500);

    /// <returns>One JSON object an event; ends after the terminal one.</returns>
    /// <exception cref="RpcException">The server refused, or could not be reached again.</exception>
    public static async IAsyncEnumerable<string> ReadAsync(
        Jobs.JobsClient jobs, string id, int mostFailures, TimeProvider time, [EnumeratorCancellation] CancellationToken cancel)
    {
        var next = 0L;
        var failures = 0;
        while (true)
        {
            using var call = jobs.Watch(new WatchRequest { Id = id, From = next }, cancellationToken: cancel);
            while (await MoveAsync(call.ResponseStream, () => ++failures <= mostFailures, cancel) is { } more)
            {
                if (!more) yield break;
                failures = 0;
                next = call.ResponseStream.Current.Number + 1;
                yield return call.ResponseStream.Current.Json;
            }
            await Task.Delay(RetryInterval, time, cancel);
        }
    }

    /// <returns>Null: the connection was lost and may be tried again.</returns>
    private static async Task<bool?> MoveAsync(IAsyncStreamReader<JobEvent> stream, Func<bool> mayRetry, CancellationToken cancel)
    {
        try
        {
            return await stream.MoveNext(cancel);
        }
        catch (RpcException) when (cancel.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancel);
        }
        catch (RpcException lost) when (IsLostConnection(lost) && mayRetry())
        {
            return null;
        }
    }

    /// <summary>A server that dies in the middle of a stream shows as any of these.</summary>
    public static bool IsLostConnection(RpcException broken) =>
        broken.StatusCode is StatusCode.Unavailable or StatusCode.Cancelled or StatusCode.Internal;
}
