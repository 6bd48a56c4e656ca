using System.Net;
using System.Net.Sockets;
using Distributed.Training.Exchange;

namespace Distributed.Training.Tests.Exchange;

public sealed class UnprovenCallersTests : IDisposable
{
    private readonly Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly List<Socket> sockets = [];

    public UnprovenCallersTests()
    {
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(16);
    }

    public void Dispose()
    {
        sockets.ForEach(s => s.Dispose());
        listener.Dispose();
    }

    [Fact]
    public void Enter_NoPlaceIsFree_TheOldestMakesRoom()
    {
        UnprovenCallers callers = new(2, TimeSpan.FromMinutes(5), TimeProvider.System);
        var places = Enumerable.Range(0, 3).Select(_ => callers.Enter(Caller())).ToList();
        Assert.Equal("2 later callers came before it had proved itself", places[0].Closed);
        Assert.Throws<IOException>(places[0].Prove);
        Assert.All(places[1..], place => Assert.Null(place.Closed));
        places[1].Prove();
        using var fourth = callers.Enter(Caller());
        Assert.Null(places[2].Closed);
        places.ForEach(p => p.Dispose());
    }

    [Fact]
    public void Enter_DripsBytes_IsClosedWhenItsTimeIsOver()
    {
        UnprovenCallers callers = new(2, TimeSpan.FromSeconds(2), TimeProvider.System);
        var caller = Caller();
        using var place = callers.Enter(caller);
        using var proven = callers.Enter(Caller());
        proven.Prove();
        using var drip = new Timer(_ => Drip(), null, 0, 20);
        Assert.NotNull(Record.Exception(() => Drain(caller)));
        Assert.Equal("no greeting within 2 s", place.Closed);
        Assert.Null(proven.Closed);
    }

    private static void Drain(Socket caller)
    {
        while (caller.Receive(new byte[1]) > 0)
        {
        }
    }

    private void Drip()
    {
        try
        {
            sockets[0].Send([1]);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The listener has closed it.
        }
    }

    private Socket Caller()
    {
        var far = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        far.Connect(listener.LocalEndPoint!);
        sockets.Add(far);
        return listener.Accept();
    }
}
