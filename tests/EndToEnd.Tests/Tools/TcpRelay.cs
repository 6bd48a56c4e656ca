using System.Net;
using System.Net.Sockets;

namespace Distributed.EndToEnd.Tests.Tools;

/// <summary>
/// A port that leads to another one, until it is cut: to a client it looks like an endpoint whose silo ends and starts again.
/// </summary>
internal sealed class TcpRelay : IDisposable
{
    private readonly IPEndPoint target;
    private readonly List<Socket> sockets = [];
    private readonly Lock gate = new();
    private Socket? listener;
    private int port;
    private int unheard;

    public TcpRelay(Uri target)
    {
        this.target = new IPEndPoint(IPAddress.Loopback, target.Port);
        Mend();
    }

    public string Address => $"http://127.0.0.1:{port}";

    /// <summary>Takes the next connections, and breaks them at once.</summary>
    public void Break(int connections) => Volatile.Write(ref unheard, connections);

    /// <summary>Listens, at the same port as before.</summary>
    public void Mend()
    {
        listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
        listener.Listen();
        port = ((IPEndPoint)listener.LocalEndPoint!).Port;
        _ = AcceptAsync(listener);
    }

    /// <summary>Ends all connections; new ones are refused.</summary>
    public void Cut()
    {
        listener?.Dispose();
        lock (gate)
        {
            sockets.ForEach(socket => socket.Dispose());
            sockets.Clear();
        }
    }

    public void Dispose() => Cut();

    private async Task AcceptAsync(Socket from)
    {
        try
        {
            while (true)
            {
                var near = await from.AcceptAsync();
                if (Interlocked.Decrement(ref unheard) >= 0)
                {
                    near.Dispose();
                    continue;
                }

                var far = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                lock (gate) sockets.AddRange([near, far]);
                await far.ConnectAsync(target);
                _ = CopyAsync(near, far);
                _ = CopyAsync(far, near);
            }
        }
        catch (Exception cut) when (cut is SocketException or ObjectDisposedException)
        {
            // The end that was asked for.
        }
    }

    private static async Task CopyAsync(Socket from, Socket to)
    {
        var buffer = new byte[1 << 16];
        try
        {
            while (await from.ReceiveAsync(buffer) is > 0 and var count) await to.SendAsync(buffer.AsMemory(0, count));
            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception cut) when (cut is SocketException or ObjectDisposedException)
        {
            // The end that was asked for.
        }
    }
}
