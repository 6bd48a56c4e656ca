using System.Net;
using System.Net.Sockets;

namespace Distributed.Training.Exchange;

/// <summary>What lies between the exchange sockets of two silos.</summary>
public interface IExchangeWire
{
    /// <summary>Whether the wire itself needs cores while it moves bytes.</summary>
    bool NeedsCores { get; }

    /// <value>All silos are processes of one machine, which may meet in its memory.</value>
    bool IsOneMachine { get; }

    /// <summary>Lets the other silos reach a listener of this process.</summary>
    /// <returns>What to tell them: an address, a colon and more; and what to dispose of when nobody is to come any more.</returns>
    (string Endpoint, IDisposable Lease) Publish(IPEndPoint listener);

    /// <summary>A connection to the listener that another silo published; blocks.</summary>
    /// <exception cref="IOException">The other silo does not let this one in.</exception>
    /// <exception cref="SocketException">The other silo cannot be reached.</exception>
    Socket Connect(string endpoint);
}
