using System.Net;
using System.Net.Sockets;
using Distributed.Training.Exchange;

namespace Distributed.Training.Tests.Exchange;

/// <summary>Two ends of a stream between silos, both in this process.</summary>
internal sealed class StreamPair : IDisposable
{
    /// <param name="inMemory">Through shared memory; otherwise over TCP.</param>
    public StreamPair(bool inMemory = true)
    {
        var (near, far) = inMemory ? Sockets() : TcpSockets();
        if (inMemory)
        {
            var giving = Task.Run(() => MemoryHandover.Give(near));
            Far = MemoryHandover.Take(far);
            Near = giving.Result;
            Assert.IsType<SharedStream>(Near);
            Assert.IsType<SharedStream>(Far);
        }
        else
        {
            (Near, Far) = (new SocketStream(near), new SocketStream(far));
        }
    }

    public IPeerStream Near { get; }

    public IPeerStream Far { get; }

    /// <summary>Two ends of a connection over a Unix socket.</summary>
    public static (Socket Near, Socket Far) Sockets()
    {
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        var name = PeerAddress.NewLocal();
        listener.Bind(PeerAddress.LocalEndpoint(name));
        listener.Listen(1);
        var far = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        far.Connect(PeerAddress.LocalEndpoint(name));
        return (listener.Accept(), far);
    }

    private static (Socket Near, Socket Far) TcpSockets()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(1);
        var far = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        far.Connect(listener.LocalEndPoint!);
        return (listener.Accept(), far);
    }

    public void Dispose()
    {
        Near.Dispose();
        Far.Dispose();
    }
}
