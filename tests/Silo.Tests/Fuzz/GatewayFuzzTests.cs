using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using Distributed.Protocol.V1;
using Distributed.Silo.Tests.Gateway;
using Distributed.Testing.Fuzz;
using Google.Protobuf;
using Grpc.Core;

namespace Distributed.Silo.Tests.Fuzz;

/// <summary>
/// Messages of each call, damaged, from a user with a token: whatever they are, the answer is a status in words and the silo goes on.
/// </summary>
public sealed class GatewayFuzzTests(OneSilo silo) : IClassFixture<OneSilo>
{
    /// <summary>Each is a call to a silo, which takes as long as many readers take together.</summary>
    private static readonly int Messages = Math.Max(1, FuzzRun.Inputs / 25);

    private static readonly (string Call, IMessage Good)[] Calls =
    [
        ("Submit", RightsTests.Submission("fuzzed", steps: 1)),
        ("Get", new GetRequest { Id = "fuzzed" }),
        ("List", new ListRequest { States = { "queued" }, User = "ann", PageSize = 3 }),
        ("Stop", new StopRequest { Id = "fuzzed", Checkpoint = true }),
        ("Resume", new ResumeRequest { Id = "fuzzed" }),
        ("Scale", new ScaleRequest { Id = "fuzzed", Workers = 2 }),
        ("Delete", new DeleteRequest { Id = "fuzzed" }),
        ("Why", new WhyRequest { Id = "fuzzed" }),
        ("Logs", new LogsRequest { Id = "absent", From = 1 }),
        ("Cluster", new ClusterRequest()),
        // Of a job that does not run, so that it ends.
        ("Watch", new WatchRequest { Id = "absent", From = 1 }),
        ("Drain", new DrainRequest { Silo = "no-such-silo", Undo = true }),
    ];

    public static TheoryData<string> Names => [.. Calls.Select(call => call.Call)];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Message_Damaged_IsAnsweredInWords(string call)
    {
        using HttpClient http =
            new() { DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };
        Damage damage = new(
            [Calls.Single(c => c.Call == call).Good.ToByteArray(), [0x0A, 0x03, (byte)'a', (byte)'b', (byte)'c']], new Random(1));
        for (var number = 0; number < Messages; number++)
        {
            var message = damage.Next();
            using HttpRequestMessage request = new(HttpMethod.Post, $"{silo.Address}/dtrain.v1.Jobs/{call}")
            {
                Version = HttpVersion.Version20,
                VersionPolicy = HttpVersionPolicy.RequestVersionExact,
                Content = new ByteArrayContent(Framed(message)),
            };
            request.Content.Headers.ContentType = new("application/grpc");
            request.Headers.TE.Add(new("trailers"));
            request.Headers.TryAddWithoutValidation("authorization", $"Bearer {OneSilo.Ann}");
            using var answer = await http.SendAsync(request);
            await answer.Content.ReadAsByteArrayAsync();
            var status = (StatusCode)int.Parse(Header("grpc-status"), CultureInfo.InvariantCulture);
            Assert.False(
                status is StatusCode.Internal or StatusCode.Unknown or StatusCode.Unavailable or StatusCode.ResourceExhausted,
                $"{call} of {Convert.ToHexString(message)}: {status} {Header("grpc-message")}");

            string Header(string name) => answer.TrailingHeaders.TryGetValues(name, out var late)
                ? late.First()
                : answer.Headers.TryGetValues(name, out var early) ? early.First()
                : "";
        }

        using var ann = silo.Client(OneSilo.Ann);
        // Some were jobs all the same.
        foreach (var job in (await ann.Ask<ListReply>("List", new ListRequest { States = { "queued", "running" } })).Jobs)
            await OneSilo.StatusOf(() => ann.Ask<JobStatus>("Stop", new StopRequest { Id = job.Id }));
    }

    private static byte[] Framed(byte[] message)
    {
        var frame = new byte[5 + message.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), message.Length);
        message.CopyTo(frame, 5);
        return frame;
    }
}
