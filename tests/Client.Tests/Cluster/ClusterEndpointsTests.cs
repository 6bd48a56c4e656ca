using System.Net;
using System.Net.Sockets;
using Distributed.Client.Cluster;
using Distributed.Protocol.V1;
using Grpc.Core;

namespace Distributed.Client.Tests.Cluster;

public sealed class ClusterEndpointsTests
{
    private readonly List<string> calls = [];

    [Fact]
    public async Task Ask_SiloBehindTheOneAddressCannotAnswer_ConnectsAnewToAnother()
    {
        using ClusterEndpoints endpoints = new(
            [Endpoint("first", "token", [StatusCode.Unavailable], [StatusCode.Unavailable], [null])], new HurriedTime());
        Assert.Equal("a", (await endpoints.Jobs.GetAsync(new GetRequest { Id = "a" })).Id);
        Assert.Equal(["first 1", "first 2", "first 3"], calls);
    }

    [Fact]
    public async Task Ask_FirstDoorCannotAnswer_GoesToTheNext()
    {
        using ClusterEndpoints endpoints = new(
            [Endpoint("first", "token", [StatusCode.Unavailable]), Endpoint("second", "token", new StatusCode?[] { null, null })],
            new HurriedTime());
        await endpoints.Jobs.GetAsync(new GetRequest { Id = "a" });
        await endpoints.Jobs.GetAsync(new GetRequest { Id = "a" });
        Assert.Equal(["first 1", "second 1", "second 1"], calls);
    }

    [Fact]
    public async Task Ask_TokenThatOneSiloHasNotReadYet_IsWaitedOut()
    {
        using ClusterEndpoints endpoints = new(
            [Endpoint("first", "token", [StatusCode.Unauthenticated], [StatusCode.Unauthenticated], [null])], new HurriedTime());
        await endpoints.Jobs.StopAsync(new StopRequest { Id = "a" });
        Assert.Equal(3, calls.Count);
    }

    [Theory]
    [InlineData("token")]
    [InlineData(null)]
    public async Task Ask_WrongToken_IsRefusedAfterTheWaitAndNoneAtOnce(string? token)
    {
        HurriedTime time = new();
        using ClusterEndpoints endpoints = new(
            [Endpoint("first", token, [.. Enumerable.Range(0, 100).Select(_ => new StatusCode?[] { StatusCode.Unauthenticated })])], time);
        var refused = await Assert.ThrowsAsync<RpcException>(async () => await endpoints.Jobs.GetAsync(new GetRequest { Id = "a" }));
        Assert.Equal(StatusCode.Unauthenticated, refused.StatusCode);
        Assert.InRange(calls.Count, token is null ? 1 : 2, token is null ? 1 : 20);
    }

    [Fact]
    public async Task Ask_ChangeThatMayHaveArrived_IsNotMadeAgainButASubmissionIs()
    {
        using ClusterEndpoints endpoints = new(
            [Endpoint("first", "token", [StatusCode.Unavailable], [StatusCode.Unavailable], [null])], new HurriedTime());
        await Assert.ThrowsAsync<RpcException>(async () => await endpoints.Jobs.StopAsync(new StopRequest { Id = "a" }));
        Assert.Single(calls);
        Assert.Equal("a", (await endpoints.Jobs.SubmitAsync(new SubmitRequest { Id = "a" })).Id);
    }

    [Fact]
    public async Task Ask_SiloThatTakesConnectionsAndSaysNothing_IsLeftForTheNext()
    {
        // The system takes connections for a process that stands still.
        using TcpListener frozen = new(IPAddress.Loopback, 0);
        frozen.Start();
        JobsConnection silent = new(
            new Uri($"http://127.0.0.1:{((IPEndPoint)frozen.LocalEndpoint).Port}"), "token", JobsConnection.ShortSilence);
        using ClusterEndpoints endpoints = new([silent, Endpoint("second", "token", new StatusCode?[] { null })], new HurriedTime());
        using var watch = endpoints.Jobs.Watch(new WatchRequest { Id = "a" });
        Assert.False(await watch.ResponseStream.MoveNext(CancellationToken.None));
        Assert.Equal(["second 1"], calls);
        Assert.Equal("http://second/", endpoints.Address.ToString());
    }

    [Fact]
    public async Task Change_DoorOfSeveralSilos_GoesToOneThatHasJustAnswered()
    {
        using ClusterEndpoints endpoints = new(
            [Endpoint("first", "token", isLeftSoon: true, [StatusCode.Unavailable]),
                Endpoint("second", "token", isLeftSoon: true, new StatusCode?[] { null })],
            new HurriedTime());
        await endpoints.Jobs.StopAsync(new StopRequest { Id = "a" });
        Assert.Equal(["first 1", "second 1", "second 1"], calls);
    }

    [Theory]
    [InlineData(false, "http://127.0.0.1:5010")]
    [InlineData(false, "http://localhost:5010")]
    [InlineData(false, "https://10.0.0.1:5010")]
    [InlineData(true, "https://trainer.example:5010")]
    [InlineData(true, "http://127.0.0.1:5010", "http://127.0.0.1:5011")]
    public void Silence_IsShortWhereAnotherSiloMayAnswer(bool isShort, params string[] endpoints) =>
        Assert.Equal(
            isShort ? JobsConnection.ShortSilence : null, JobsConnection.SilenceOf([.. endpoints.Select(endpoint => new Uri(endpoint))]));

    [Fact]
    public void InTurn_BeginsWithAnotherAddressEachTime()
    {
        IPAddress[] three = [.. Enumerable.Range(1, 3).Select(i => IPAddress.Parse($"10.0.0.{i}"))];
        Assert.Equal(
            [three[0], three[1], three[2], three[0]], Enumerable.Range(0, 4).Select(turn => JobsConnection.InTurn(three, turn)[0]));
        Assert.Equal([three[2], three[0], three[1]], JobsConnection.InTurn(three, 2));
    }

    /// <param name="connections">For each connection the answers of the silo behind it; null is a good one.</param>
    private JobsConnection Endpoint(string name, string? token, params StatusCode?[][] connections) =>
        Endpoint(name, token, isLeftSoon: false, connections);

    private JobsConnection Endpoint(string name, string? token, bool isLeftSoon, params StatusCode?[][] connections)
    {
        var opened = 0;
        return new(
            new Uri($"http://{name}"),
            () => new Silo(calls, $"{name} {opened + 1}", connections[Math.Min(opened++, connections.Length - 1)]), () => token,
            isLeftSoon);
    }

    private sealed class Silo(List<string> calls, string name, StatusCode?[] answers) : CallInvoker
    {
        private int next;

        public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
        {
            calls.Add(name);
            object reply = request switch
            {
                SubmitRequest => new SubmitReply { Id = "a" },
                byte[] => Array.Empty<byte>(),
                _ => new JobStatus { Id = "a" },
            };
            var answer = answers[Math.Min(next++, answers.Length - 1)] is { } refusal
                ? Task.FromException<TResponse>(new RpcException(new Status(refusal, "no")))
                : Task.FromResult((TResponse)reply);
            return new(answer, Task.FromResult(new Metadata()), () => Status.DefaultSuccess, () => [], () => { });
        }

        public override TResponse BlockingUnaryCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) => throw new NotSupportedException();

        public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
        {
            calls.Add(name);
            return new(new NoNews<TResponse>(), Task.FromResult(new Metadata()), () => Status.DefaultSuccess, () => [], () => { });
        }

        public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options) => throw new NotSupportedException();

        public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options) => throw new NotSupportedException();
    }

    private sealed class NoNews<T> : IAsyncStreamReader<T>
    {
        public T Current => throw new InvalidOperationException();

        public Task<bool> MoveNext(CancellationToken cancellationToken) => Task.FromResult(false);
    }
}
