using System.Net.Sockets;
using Distributed.Protocol.V1;
using Grpc.Core;

namespace Distributed.Client.Cluster;

/// <summary>The doors of one cluster, taken as one: calls go to the first that can be reached, and on to the next when it is lost.</summary>
internal sealed class ClusterDoors : CallInvoker, IDisposable
{
    private readonly IReadOnlyList<JobsConnection> doors;
    private volatile int current;

    /// <param name="doors">One at least; in the order of preference.</param>
    public ClusterDoors(IReadOnlyList<JobsConnection> doors)
    {
        this.doors = doors;
        Jobs = new Jobs.JobsClient(this);
    }

    public Jobs.JobsClient Jobs { get; }

    /// <summary>The door that calls go to now.</summary>
    public Uri Address => doors[current].Address;

    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) => new(
        AskAsync(invoker => invoker.AsyncUnaryCall(method, host, options, request)), Task.FromResult(new Metadata()), () => Status.DefaultSuccess, () => [], () => { });

    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
    {
        Stream<TResponse> stream = new(this, invoker => invoker.AsyncServerStreamingCall(method, host, options, request));
        return new(stream, stream.Headers, () => Status.DefaultSuccess, () => [], stream.Dispose);
    }

    public override TResponse BlockingUnaryCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) =>
        throw new NotSupportedException();

    public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options) =>
        throw new NotSupportedException();

    public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options) =>
        throw new NotSupportedException();

    public void Dispose()
    {
        foreach (var door in doors) door.Dispose();
    }

    private async Task<TResponse> AskAsync<TResponse>(Func<CallInvoker, AsyncUnaryCall<TResponse>> ask)
    {
        for (var tried = 1; ; tried++)
        {
            var door = current;
            try
            {
                using var call = ask(doors[door].Calls);
                return await call;
            }
            catch (RpcException lost) when (NeverArrived(lost))
            {
                Leave(door);
                if (tried >= doors.Count) throw;
            }
        }
    }

    private void Leave(int door)
    {
        if (current == door) current = (door + 1) % doors.Count;
    }

    /// <summary>No connection came about, so the call can be made elsewhere without being made twice.</summary>
    private static bool NeverArrived(RpcException lost)
    {
        for (var cause = lost.Status.DebugException; cause is not null; cause = cause.InnerException)
        {
            switch (cause)
            {
                case HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError }:
                case TimeoutException:
                case SocketException { SocketErrorCode: not (SocketError.ConnectionReset or SocketError.ConnectionAborted or SocketError.Shutdown or SocketError.OperationAborted) }:
                    return true;
                // A connection that was there and broke.
                case IOException: return false;
            }
        }
        return false;
    }

    /// <summary>Opens at the first move. A stream that breaks later is for its reader to open again, at the next door.</summary>
    private sealed class Stream<T>(ClusterDoors owner, Func<CallInvoker, AsyncServerStreamingCall<T>> open) : IAsyncStreamReader<T>, IDisposable
    {
        private readonly TaskCompletionSource<Metadata> headers = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private AsyncServerStreamingCall<T>? call;
        private int door;

        /// <summary>Completes when a door has taken the call.</summary>
        public Task<Metadata> Headers => headers.Task;

        public T Current => call!.ResponseStream.Current;

        public async Task<bool> MoveNext(CancellationToken cancellationToken)
        {
            for (var tried = 1; ; tried++)
            {
                var isNew = call is null;
                try
                {
                    if (isNew) Open();
                    return await call!.ResponseStream.MoveNext(cancellationToken);
                }
                catch (RpcException lost) when (EventStream.IsLostConnection(lost) && !cancellationToken.IsCancellationRequested)
                {
                    owner.Leave(door);
                    if (!isNew || tried >= owner.doors.Count || !NeverArrived(lost)) throw;
                    Dispose();
                    call = null;
                }
            }
        }

        public void Dispose() => call?.Dispose();

        private void Open()
        {
            door = owner.current;
            call = open(owner.doors[door].Calls);
            _ = call.ResponseHeadersAsync.ContinueWith(
                answered => headers.TrySetResult(answered.Result), CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
        }
    }
}
