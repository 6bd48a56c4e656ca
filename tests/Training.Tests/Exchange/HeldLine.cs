using System.Net;
using System.Net.Sockets;
using Distributed.Training.Exchange;

namespace Distributed.Training.Tests.Exchange;

/// <summary>A way on which the first silo that is called hears the caller only while that is let through; all else passes.</summary>
internal sealed class HeldLine : IExchangeWire, IDisposable
{
    private readonly DirectWire direct = new(inMemory: false);
    private readonly ManualResetEventSlim open = new(true);
    private readonly List<Socket> ends = [];
    private bool taken;
    private ITimer? opener;

    public bool NeedsCores => false;

    public bool IsOneMachine => false;

    public void Hold() => open.Reset();

    public void Let(TimeSpan after) => opener = TimeProvider.System.CreateTimer(_ => open.Set(), null, after, Timeout.InfiniteTimeSpan);

    public (string Endpoint, IDisposable Lease) Publish(IPEndPoint listener) => direct.Publish(listener);

    public Socket Connect(string endpoint)
    {
        var far = direct.Connect(endpoint);
        if (taken) return far;
        taken = true;
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(1);
        var near = direct.Connect(listener.LocalEndPoint!.ToString()!);
        var middle = listener.Accept();
        ends.AddRange([far, middle]);
        Pass(middle, far, open.Wait);
        Pass(far, middle, () => { });
        return near;
    }

    public void Dispose()
    {
        opener?.Dispose();
        open.Set();
        ends.ForEach(end => end.Dispose());
    }

    private static void Pass(Socket from, Socket to, Action wait) => new Thread(() =>
    {
        var bytes = new byte[1 << 16];
        try
        {
            for (int count; (count = from.Receive(bytes)) > 0;)
            {
                wait();
                to.Send(bytes.AsSpan(0, count));
            }
            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception ended) when (ended is SocketException or ObjectDisposedException)
        {
            // One of the silos has ended.
        }
    })
    { IsBackground = true }.Start();
}
