using System.Net;
using System.Net.Sockets;

namespace Distributed.Training.Exchange;

/// <summary>Nothing between them: silos of one machine meet on loopback, or in its memory.</summary>
/// <param name="inMemory">Whether they may meet in memory.</param>
public sealed class DirectWire(bool inMemory = true) : IExchangeWire
{
    public bool NeedsCores => false;

    public bool IsOneMachine => inMemory;

    public (string Endpoint, IDisposable Lease) Publish(IPEndPoint listener) => (listener.ToString(), new NoLease());

    public Socket Connect(string endpoint)
    {
        if (!IPEndPoint.TryParse(endpoint, out var target))
            throw new IOException(
                "found the address of a tunnel, expected one without; give silo certificates to all silos of a cluster or to none");
        var socket = new Socket(target.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Connect(target);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private sealed class NoLease : IDisposable
    {
        public void Dispose()
        {
            // The listener's own end is all there is.
        }
    }
}
