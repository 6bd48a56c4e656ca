using System.Diagnostics;
using System.Net;
using Distributed.Protocol.V1;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Health.V1;
using Grpc.Reflection.V1Alpha;

namespace Distributed.Silo.Tests.Gateway;

/// <summary>What lies beside the jobs, and how much the endpoint bears.</summary>
public sealed class GatewayCallTests(OneSilo silo) : IClassFixture<OneSilo>
{
    private static readonly TimeSpan Soon = TimeSpan.FromMinutes(5);

    [Theory]
    [InlineData("")]
    [InlineData("dtrain.v1.Jobs")]
    [InlineData("live")]
    public async Task Health_WithoutToken_Serves(string service)
    {
        using var client = silo.Client(null);
        var reply = await new Health.HealthClient(client.Invoker).CheckAsync(new HealthCheckRequest { Service = service });
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, reply.Status);
    }

    [Theory]
    [InlineData("live", "live")]
    [InlineData("startup", "started")]
    [InlineData("ready", "ready: silo silo-0 is an active member; ")]
    public async Task Healthz_WithoutToken_AnswersInALine(string probe, string words)
    {
        using HttpClient http =
            new() { DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };
        using var answer = await http.GetAsync($"{silo.Address}/healthz/{probe}");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.StartsWith(words, text, StringComparison.Ordinal);
        Assert.Equal(text.Length - 1, text.IndexOf('\n', StringComparison.Ordinal));
    }

    [Fact]
    public async Task Reflection_IsForUsersAlone()
    {
        using var stranger = silo.Client(null);
        Assert.Equal(StatusCode.Unauthenticated, (await OneSilo.StatusOf(() => Services(stranger))).StatusCode);
        using var eve = silo.Client(OneSilo.Eve);
        Assert.Contains("dtrain.v1.Jobs", await Services(eve));
    }

    [Theory]
    [InlineData("/dtrain.v1.Jobs/Submit", null, "16")]
    [InlineData("/dtrain.v1.Jobs/Submit", "Bearer nobody", "16")]
    [InlineData("/dtrain.v1.Jobs/NoSuchCall", null, "16")]
    [InlineData("/no.such.Service/Call", null, "16")]
    [InlineData("/dtrain.v1.Jobs/Submit", "Bearer " + OneSilo.Eve, "7")]
    public async Task Call_OfNobody_IsRefusedBeforeItsMessageIsRead(string method, string? authorization, string status)
    {
        using HttpClient http =
            new() { DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };
        // A frame that announces more than it has, of what is no message.
        using HttpRequestMessage request = new(HttpMethod.Post, silo.Address + method)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent([0, 0, 0, 0, 9, 0x0b]),
        };
        request.Content.Headers.ContentType = new("application/grpc");
        if (authorization is not null) request.Headers.TryAddWithoutValidation("authorization", authorization);
        using var answer = await http.SendAsync(request);
        Assert.Equal(status, Assert.Single(answer.Headers.GetValues("grpc-status")));
        Assert.Empty(await answer.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task Submit_LargerThanTheLimit_IsRefusedWithoutReadingItWhole()
    {
        using var admin = silo.Client(OneSilo.Admin);
        var large = new SubmitRequest { Id = "large", SpecJson = new string(' ', 64 << 20) };
        var status = await OneSilo.StatusOf(() => admin.Ask<SubmitReply>("Submit", large));
        Assert.Equal(StatusCode.ResourceExhausted, status.StatusCode);
        await admin.Ask<ListReply>("List", new ListRequest());
    }

    [Fact]
    public async Task Watch_ThousandStreamsOverOneConnection_AllSeeAllOfTheJob()
    {
        using var ann = silo.Client(OneSilo.Ann);
        using var eve = silo.Client(OneSilo.Eve);
        await ann.Ask<SubmitReply>("Submit", RightsTests.Submission("holder"));
        await ann.Ask<SubmitReply>("Submit", RightsTests.Submission("watched", steps: 5));
        var opened = 0;
        var streams = Enumerable.Range(0, 1000).Select(_ => Watch(eve, () => Interlocked.Increment(ref opened))).ToArray();
        var started = Stopwatch.GetTimestamp();
        while (Volatile.Read(ref opened) < streams.Length && Stopwatch.GetElapsedTime(started) < Soon)
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        Assert.Equal(1000, opened);
        // All wait; others are served as ever.
        Assert.Equal("queued", (await eve.Ask<JobStatus>("Get", new GetRequest { Id = "watched" }).WaitAsync(Soon)).State);
        await ann.Ask<JobStatus>("Stop", new StopRequest { Id = "holder" });
        var seen = await Task.WhenAll(streams).WaitAsync(Soon);
        Assert.Equal(Enumerable.Range(0, seen[0].Count).Select(n => (long)n), seen[0].Select(line => line.Number));
        Assert.Contains("\"event\":\"completed\"", seen[0][^1].Json, StringComparison.Ordinal);
        Assert.All(seen, lines => Assert.Equal(seen[0], lines));
    }

    private static async Task<List<JobEvent>> Watch(GatewayClient client, Action opened)
    {
        List<JobEvent> lines = [];
        using var stream = client.Open<JobEvent>("Watch", new WatchRequest { Id = "watched" });
        await stream.ResponseHeadersAsync;
        opened();
        while (await stream.ResponseStream.MoveNext(CancellationToken.None)) lines.Add(stream.ResponseStream.Current);
        return lines;
    }

    private static async Task<IReadOnlyList<string>> Services(GatewayClient client)
    {
        using var call = new ServerReflection.ServerReflectionClient(client.Invoker).ServerReflectionInfo(client.Options);
        try
        {
            await call.RequestStream.WriteAsync(new ServerReflectionRequest { ListServices = "" });
            await call.RequestStream.CompleteAsync();
        }
        catch (RpcException)
        {
            // Refused before the first message was read: the reason comes with the answer.
        }

        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
        return [.. call.ResponseStream.Current.ListServicesResponse.Service.Select(service => service.Name)];
    }
}
