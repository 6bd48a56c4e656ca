using System.Runtime.CompilerServices;
using Distributed.Core.Jobs;
using Distributed.Protocol.V1;
using Grpc.Core;

namespace Distributed.Client.Cluster;

/// <summary>A job's numbered lines in order, without gaps and doubles, over as many connections as it takes.</summary>
internal static class EventStream
{
    /// <param name="first">Number of the first event wanted.</param>
    /// <returns>One JSON object per event; ends after the terminal one.</returns>
    /// <exception cref="RpcException">The server refused, or could not be reached again.</exception>
    public static async IAsyncEnumerable<string> ReadAsync(
        Jobs.JobsClient jobs, JobId id, Outage outage, [EnumeratorCancellation] CancellationToken cancel, long first = 0)
    {
        var events = ReadAsync(
            from => jobs.Watch(new WatchRequest { Id = id.ToString(), From = from }, cancellationToken: cancel), line => line.Number,
            outage, cancel, first);
        await foreach (var line in events) yield return line.Json;
    }

    /// <summary>Lines of a stream that can be opened anew from any number.</summary>
    /// <param name="first">Number of the first line wanted.</param>
    /// <exception cref="RpcException">The server refused, or could not be reached again.</exception>
    public static async IAsyncEnumerable<T> ReadAsync<T>(
        Func<long, AsyncServerStreamingCall<T>> open, Func<T, long> numberOf, Outage outage,
        [EnumeratorCancellation] CancellationToken cancel, long first = 0)
    {
        var next = first;
        while (true)
        {
            using var call = open(next);
            outage.BeginAttempt();
            while (await MoveAsync(call, outage, cancel) is { } more)
            {
                outage.End();
                if (!more) yield break;
                var line = call.ResponseStream.Current;
                if (numberOf(line) < next) continue;
                next = numberOf(line) + 1;
                yield return line;
            }
            await outage.PauseAsync(cancel);
        }
    }

    /// <returns>Null: the connection was lost and may be tried again.</returns>
    private static async Task<bool?> MoveAsync<T>(AsyncServerStreamingCall<T> call, Outage outage, CancellationToken cancel)
    {
        try
        {
            return await call.ResponseStream.MoveNext(cancel);
        }
        catch (RpcException) when (cancel.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancel);
        }
        catch (RpcException lost) when (IsLostConnection(lost) && outage.MayWait(call.ResponseHeadersAsync.IsCompletedSuccessfully))
        {
            return null;
        }
    }

    /// <summary>A server that dies in the middle of a stream shows as any of these.</summary>
    public static bool IsLostConnection(RpcException broken) =>
        broken.StatusCode is StatusCode.Unavailable or StatusCode.Cancelled or StatusCode.Internal;
}
