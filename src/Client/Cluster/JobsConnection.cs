using System.Net;
using System.Net.Sockets;
using Distributed.Protocol.V1;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;

namespace Distributed.Client.Cluster;

/// <summary>The gRPC endpoint of a silo or cluster, opened with a token.</summary>
internal sealed class JobsConnection : IDisposable
{
    /// <summary>Metadata behind a refusal: the word for programs, such as <c>storage</c>.</summary>
    public const string CodeTrailer = "dtrain-error";

    /// <summary>For calls that answer at once.</summary>
    public static readonly TimeSpan CallDeadline = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan ReconnectPause = TimeSpan.FromMilliseconds(300);

    /// <summary>Longest silence of an endpoint that answers no ping, where another one may answer in its place.</summary>
    public static readonly TimeSpan ShortSilence = TimeSpan.FromSeconds(4);

    private readonly Func<CallInvoker> open;
    private readonly Func<string?> token;
    private readonly List<GrpcChannel> channels = [];

    /// <param name="trust">Whom to believe at an https address; null: the authorities of this machine.</param>
    /// <param name="silence">
    /// Longest silence of an endpoint that answers no ping; null: more than a minute, for a cluster whose cores are busy.
    /// </param>
    public JobsConnection(Uri address, string? token, TimeSpan? silence = null, ServerTrust? trust = null)
        : this(address, () => token, silence, trust)
    {
    }

    /// <inheritdoc cref="JobsConnection(Uri, string, TimeSpan?, ServerTrust)"/>
    /// <param name="token">Asked at each call; null: none.</param>
    public JobsConnection(Uri address, Func<string?> token, TimeSpan? silence = null, ServerTrust? trust = null)
    {
        (Address, this.token, IsLeftSoon) = (address, token, silence == ShortSilence);
        open = () =>
        {
            channels.Add(Open(address, silence, trust, turn: channels.Count));
            return channels[^1].CreateCallInvoker();
        };
        Renew();
    }

    /// <summary>For tests: over connections of their own.</summary>
    internal JobsConnection(Uri address, Func<CallInvoker> open, Func<string?> token, bool isLeftSoon = false)
    {
        (Address, this.open, this.token, IsLeftSoon) = (address, open, token, isLeftSoon);
        Renew();
    }

    public Uri Address { get; }

    public CallInvoker Calls { get; private set; } = null!;

    public Jobs.JobsClient Jobs { get; private set; } = null!;

    /// <summary>A silo behind it that gives no sign of life is left for another one.</summary>
    public bool IsLeftSoon { get; }

    public bool HasToken => token() is not null;

    /// <summary>
    /// Connects anew for calls to come: an address that stands for several silos then leads to another one. Calls under way
    /// go on where they are.
    /// </summary>
    public void Renew()
    {
        Calls = open().Intercept(headers =>
        {
            if (token() is { } presented) headers.Add("authorization", $"Bearer {presented}");
            return headers;
        });
        Jobs = new Jobs.JobsClient(Calls);
    }

    /// <summary>
    /// How long the endpoints of a cluster may be silent: where there is no other silo to turn to, a busy one is given time.
    /// </summary>
    public static TimeSpan? SilenceOf(IReadOnlyList<Uri> endpoints) =>
        endpoints.Count > 1 || MayBeSeveral(endpoints[0]) ? ShortSilence : null;

    /// <summary>Whether a name may stand for several silos, as that of a service does; one address or this machine does not.</summary>
    private static bool MayBeSeveral(Uri address) => address.HostNameType == UriHostNameType.Dns && !address.IsLoopback;

    /// <summary>The addresses of a name, beginning with another one at each turn.</summary>
    internal static IPAddress[] InTurn(IPAddress[] addresses, int turn) =>
        [.. addresses[(turn % addresses.Length)..], .. addresses[..(turn % addresses.Length)]];

    private static async ValueTask<Stream> ConnectInTurnAsync(DnsEndPoint to, int turn, CancellationToken cancel)
    {
        var addresses = InTurn(await Dns.GetHostAddressesAsync(to.Host, cancel), turn);
        for (var i = 0; ; i++)
        {
            Socket socket = new(addresses[i].AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(addresses[i], to.Port, cancel);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (Exception refused)
            {
                socket.Dispose();
                if (refused is not SocketException || i == addresses.Length - 1) throw;
            }
        }
    }

    private static GrpcChannel Open(Uri address, TimeSpan? silence, ServerTrust? trust, int turn)
    {
        SocketsHttpHandler handler = new()
        {
            // A proxy of the environment must not come between a client and a silo of its own machine.
            UseProxy = !address.IsLoopback,
            ConnectTimeout = TimeSpan.FromSeconds(5),
            // An endpoint lets only so many streams into one connection.
            EnableMultipleHttp2Connections = true,
            // A silo that froze with its sockets open is noticed here.
            KeepAlivePingDelay = silence / 3 ?? TimeSpan.FromSeconds(10),
            KeepAlivePingTimeout = silence * 2 / 3 ?? TimeSpan.FromSeconds(60),
        };
        // A name that was left for its silence leads to another of its addresses, whatever order they are told in.
        if (turn > 0 && MayBeSeveral(address))
            handler.ConnectCallback = (context, cancel) => ConnectInTurnAsync(context.DnsEndPoint, turn, cancel);
        if (trust is not null) handler.SslOptions = trust.Options(address);
        return GrpcChannel.ForAddress(address, new GrpcChannelOptions
        {
            HttpHandler = handler,
            // Calls that are made again find a connection tried again, not the refusal of a second ago.
            InitialReconnectBackoff = ReconnectPause,
            MaxReconnectBackoff = ReconnectPause,
            DisposeHttpClient = true,
        });
    }

    /// <summary>Options of a call that fails rather than waits past <see cref="CallDeadline"/>.</summary>
    public static CallOptions Within(TimeProvider time, CancellationToken cancel) => new(
        deadline: (time.GetUtcNow() + CallDeadline).UtcDateTime, cancellationToken: cancel);

    public void Dispose() => channels.ForEach(channel => channel.Dispose());
}
