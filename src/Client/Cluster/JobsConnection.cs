using Distributed.Protocol.V1;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;

namespace Distributed.Client.Cluster;

/// <summary>The gRPC door of a silo or cluster, opened with a token.</summary>
internal sealed class JobsConnection : IDisposable
{
    /// <summary>For calls that answer at once.</summary>
    public static readonly TimeSpan CallDeadline = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan ReconnectPause = TimeSpan.FromMilliseconds(300);

    private readonly GrpcChannel channel;

    /// <param name="trust">Whom to believe at an https address; null: the authorities of this machine.</param>
    /// <param name="silence">Longest silence of a door that answers no ping; null: more than a minute, for a cluster whose cores are busy.</param>
    public JobsConnection(Uri address, string? token, TimeSpan? silence = null, ServerTrust? trust = null)
    {
        SocketsHttpHandler handler = new()
        {
            // A proxy of the environment must not come between a client and a silo of its own machine.
            UseProxy = !address.IsLoopback,
            ConnectTimeout = TimeSpan.FromSeconds(5),
            // A door lets only so many streams into one connection.
            EnableMultipleHttp2Connections = true,
            // A silo that froze with its sockets open is noticed here.
            KeepAlivePingDelay = silence / 3 ?? TimeSpan.FromSeconds(10),
            KeepAlivePingTimeout = silence * 2 / 3 ?? TimeSpan.FromSeconds(60),
        };
        if (trust is not null) handler.SslOptions = trust.Options(address);
        channel = GrpcChannel.ForAddress(address, new GrpcChannelOptions
        {
            HttpHandler = handler,
            // Calls that are made again find a connection tried again, not the refusal of a second ago.
            InitialReconnectBackoff = ReconnectPause,
            MaxReconnectBackoff = ReconnectPause,
            DisposeHttpClient = true,
        });
        Address = address;
        Calls = channel.Intercept(headers =>
        {
            if (token is not null) headers.Add("authorization", $"Bearer {token}");
            return headers;
        });
        Jobs = new Jobs.JobsClient(Calls);
    }

    public Uri Address { get; }

    public CallInvoker Calls { get; }

    public Jobs.JobsClient Jobs { get; }

    /// <summary>Options of a call that fails rather than waits past <see cref="CallDeadline"/>.</summary>
    public static CallOptions Within(TimeProvider time, CancellationToken cancel) => new(
        deadline: (time.GetUtcNow() + CallDeadline).UtcDateTime, cancellationToken: cancel);

    public void Dispose() => channel.Dispose();
}
