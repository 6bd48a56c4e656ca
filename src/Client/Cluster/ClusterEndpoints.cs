using System.Collections.Frozen;
using System.Net.Sockets;
using Distributed.Protocol.V1;
using Grpc.Core;
using Calls = Distributed.Protocol.V1.Jobs.JobsClient;

namespace Distributed.Client.Cluster;

/// <summary>
/// The endpoints of one cluster, taken as one: calls go to the first that can be reached, and on to the next when it is lost.
/// </summary>
/// <remarks>
/// One address may stand for several silos, and lead to one that has just been lost for some seconds: what did not arrive is tried again a
/// few times, and so is what only asks and got no answer.
/// </remarks>
internal sealed class ClusterEndpoints : CallInvoker, IDisposable
{
    private const int MostRounds = 8;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(400);
    /// <summary>Whatever does not even refuse has taken seconds each time.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Silos read the file of users again every second, and not all in the same moment.</summary>
    private static readonly TimeSpan TokenPatience = TimeSpan.FromSeconds(2.5);

    /// <summary>Calls that change nothing by being made again. A submission bears an id, and under one id there is one job.</summary>
    private static readonly FrozenSet<string> Questions =
        [nameof(Calls.Get), nameof(Calls.List), nameof(Calls.Why), nameof(Calls.Cluster), nameof(Calls.Submit)];

    private static readonly Marshaller<byte[]> Bytes = new(bytes => bytes, bytes => bytes);

    /// <summary>The standard question to a gRPC server whether it lives; silos answer it without a token.</summary>
    private static readonly Method<byte[], byte[]> Health = new(MethodType.Unary, "grpc.health.v1.Health", "Check", Bytes, Bytes);

    /// <summary>The health service's name for a silo that lives, ready or not, as field 1 of a request.</summary>
    private static readonly byte[] Live = [0x0a, 4, .. "live"u8];

    private readonly IReadOnlyList<JobsConnection> endpoints;
    private readonly TimeProvider time;
    private volatile int current;

    /// <param name="endpoints">One at least; in the order of preference.</param>
    public ClusterEndpoints(IReadOnlyList<JobsConnection> endpoints, TimeProvider time)
    {
        this.endpoints = endpoints;
        this.time = time;
        Jobs = new Jobs.JobsClient(this);
    }

    public Jobs.JobsClient Jobs { get; }

    /// <summary>The endpoint that calls go to now.</summary>
    public Uri Address => endpoints[current].Address;

    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) =>
        new(
            CallAsync(
                Questions.Contains(method.Name), invoker => invoker.AsyncUnaryCall(method, host, options, request),
                options.CancellationToken),
            Task.FromResult(new Metadata()), () => Status.DefaultSuccess, () => [], () => { });

    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
    {
        Stream<TResponse> stream = new(this, invoker => invoker.AsyncServerStreamingCall(method, host, options, request));
        return new(stream, stream.Headers, () => Status.DefaultSuccess, () => [], stream.Dispose);
    }

    public override TResponse BlockingUnaryCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) =>
        throw new NotSupportedException();

    public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options) =>
        throw new NotSupportedException();

    public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options) =>
        throw new NotSupportedException();

    public void Dispose()
    {
        foreach (var endpoint in endpoints) endpoint.Dispose();
    }

    private async Task<TResponse> CallAsync<TResponse>(
        bool isQuestion, Func<CallInvoker, AsyncUnaryCall<TResponse>> ask, CancellationToken cancel)
    {
        if (!isQuestion && endpoints[current].IsLeftSoon) await FindLivingAsync(cancel);
        return await AskAsync(isQuestion, ask, cancel);
    }

    /// <summary>
    /// What changes something goes to a silo that has just answered: of one that is frozen nobody could tell whether it took the change.
    /// </summary>
    private async Task FindLivingAsync(CancellationToken cancel)
    {
        try
        {
            await AskAsync(
                isQuestion: true, invoker => invoker.AsyncUnaryCall(Health, null, new CallOptions(cancellationToken: cancel), Live),
                cancel);
        }
        catch (RpcException)
        {
            // An answer all the same, or none from anybody, which the call itself will say.
        }
    }

    private async Task<TResponse> AskAsync<TResponse>(
        bool isQuestion, Func<CallInvoker, AsyncUnaryCall<TResponse>> ask, CancellationToken cancel)
    {
        var begin = time.GetTimestamp();
        for (var tried = 1; ; tried++)
        {
            var endpoint = current;
            try
            {
                using var call = ask(endpoints[endpoint].Calls);
                return await call;
            }
            catch (RpcException refused) when (MayBeTooNew(refused, endpoint, begin) && !cancel.IsCancellationRequested)
            {
                Leave(endpoint, refused);
                await Task.Delay(Pause, time, cancel);
                continue;
            }
            catch (RpcException lost) when (!cancel.IsCancellationRequested && (NeverArrived(lost) || (isQuestion && WasNotAnswered(lost))))
            {
                Leave(endpoint, lost);
                if (!MayTryAgain(lost, tried, begin)) throw;
            }

            await PauseAfterRoundAsync(tried, cancel);
        }
    }

    private bool MayTryAgain(RpcException lost, int tried, long begin) =>
        tried % endpoints.Count != 0 || (tried / endpoints.Count < MostRounds && time.GetElapsedTime(begin) < Patience && MayPass(lost));

    private Task PauseAfterRoundAsync(int tried, CancellationToken cancel) =>
        tried % endpoints.Count == 0 ? Task.Delay(Pause, time, cancel) : Task.CompletedTask;

    /// <summary>
    /// The next call goes to the next endpoint; where there is one alone, over a new connection, which may lead to another silo.
    /// </summary>
    private void Leave(int endpoint, RpcException lost)
    {
        if (current != endpoint) return;
        current = (endpoint + 1) % endpoints.Count;
        if (current == endpoint && (lost.Status.DebugException is null || IsSilence(lost))) endpoints[endpoint].Renew();
    }

    /// <summary>The token is one that this silo has not read yet, as it seems; a wrong one is told apart by staying so.</summary>
    private bool MayBeTooNew(RpcException refused, int endpoint, long begin) =>
        refused.StatusCode == StatusCode.Unauthenticated && endpoints[endpoint].HasToken && time.GetElapsedTime(begin) < TokenPatience;

    /// <summary>No connection came about, so the call can be made elsewhere without being made twice.</summary>
    private static bool NeverArrived(RpcException lost)
    {
        for (var cause = lost.Status.DebugException; cause is not null; cause = cause.InnerException)
        {
            switch (cause)
            {
                case HttpRequestException
                {
                    HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError
                        or HttpRequestError.SecureConnectionError
                }:
                case TimeoutException:
                case SocketException
                {
                    SocketErrorCode: not (SocketError.ConnectionReset or SocketError.ConnectionAborted or SocketError.Shutdown
                        or SocketError.OperationAborted)
                }:
                    return true;
                // A connection that was there and broke.
                case IOException: return false;
            }
        }
        return false;
    }

    /// <summary>What was connected to, or nearly, gave no sign of life, as a frozen silo does.</summary>
    private static bool IsSilence(RpcException lost)
    {
        for (var cause = lost.Status.DebugException; cause is not null; cause = cause.InnerException)
            if (cause is TimeoutException or HttpProtocolException or SocketException { SocketErrorCode: SocketError.TimedOut })
                return true;
        return false;
    }

    /// <summary>The connection broke, or a silo took the call that cannot serve it, such as one that leaves.</summary>
    private static bool WasNotAnswered(RpcException lost) =>
        lost.StatusCode == StatusCode.Unavailable || (EventStream.IsLostConnection(lost) && lost.Status.DebugException is not null);

    /// <summary>An address that is wrong, or a certificate, stays so.</summary>
    private static bool MayPass(RpcException lost)
    {
        for (var cause = lost.Status.DebugException; cause is not null; cause = cause.InnerException)
        {
            if (cause
                is HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError }
                    or SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData }) return false;
        }

        return true;
    }

    /// <summary>Opens at the first move. A stream that breaks later is for its reader to open again, at the next endpoint.</summary>
    private sealed class Stream<T>(ClusterEndpoints owner, Func<CallInvoker, AsyncServerStreamingCall<T>> open)
        : IAsyncStreamReader<T>, IDisposable
    {
        private readonly TaskCompletionSource<Metadata> headers = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private AsyncServerStreamingCall<T>? call;
        private int endpoint;

        /// <summary>Completes when an endpoint has taken the call.</summary>
        public Task<Metadata> Headers => headers.Task;

        public T Current => call!.ResponseStream.Current;

        public async Task<bool> MoveNext(CancellationToken cancellationToken)
        {
            var begin = owner.time.GetTimestamp();
            for (var tried = 1; ; tried++)
            {
                var isNew = call is null;
                try
                {
                    if (isNew) Open();
                    return await call!.ResponseStream.MoveNext(cancellationToken);
                }
                catch (RpcException refused) when (isNew && owner.MayBeTooNew(refused, endpoint, begin)
                    && !cancellationToken.IsCancellationRequested)
                {
                    owner.Leave(endpoint, refused);
                    Dispose();
                    call = null;
                    await Task.Delay(Pause, owner.time, cancellationToken);
                    continue;
                }
                catch (RpcException lost) when (EventStream.IsLostConnection(lost) && !cancellationToken.IsCancellationRequested)
                {
                    owner.Leave(endpoint, lost);
                    if (!isNew || !(NeverArrived(lost) || IsSilence(lost)) || !owner.MayTryAgain(lost, tried, begin)) throw;
                    Dispose();
                    call = null;
                }

                await owner.PauseAfterRoundAsync(tried, cancellationToken);
            }
        }

        public void Dispose() => call?.Dispose();

        private void Open()
        {
            endpoint = owner.current;
            call = open(owner.endpoints[endpoint].Calls);
            _ = call.ResponseHeadersAsync.ContinueWith(
                answered => headers.TrySetResult(answered.Result), CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion,
                TaskScheduler.Default);
        }
    }
}
