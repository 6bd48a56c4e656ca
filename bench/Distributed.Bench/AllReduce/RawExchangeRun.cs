using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Distributed.Bench.Figures;
using Distributed.Core.Jobs;
using Distributed.Training.Exchange;
using Distributed.Training.Native;

namespace Distributed.Bench.AllReduce;

/// <summary>
/// The limit of plain sockets: what an all-reduce must move between silos, on two blocking threads for each other silo, and no sum.
/// </summary>
/// <remarks>Each of N silos sends an N-th of the bytes to each other one and gets as much; once that has come, the same again.</remarks>
public sealed unsafe class RawExchangeRun : IDisposable
{
    private const int WarmUp = 3;
    private const int Passes = 2;
    private static readonly TimeSpan LongestConnect = TimeSpan.FromMinutes(1);
    private readonly List<Socket> links = [];
    private readonly long part;
    private readonly nint outgoing;
    private readonly nint incoming;

    /// <param name="silo">This silo's place.</param>
    /// <exception cref="JobException">The silos do not meet.</exception>
    public RawExchangeRun(int silos, int silo, long bytes, IExchangeRendezvous rendezvous)
    {
        HostAllocator.Tune();
        part = bytes / silos;
        (outgoing, incoming) = (Allocate(part), Allocate(part * (silos - 1)));
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(silos);
        try
        {
            var mesh = rendezvous.Meet(
                new ExchangeOffer(((IPEndPoint)listener.LocalEndPoint!).ToString(), $"raw exchange of {bytes} bytes"));
            byte[] secret = [.. mesh.Secret];
            for (var other = 0; other < silo; other++) links.Add(Call(IPEndPoint.Parse(mesh.Endpoints[other]), secret));
            while (links.Count < silos - 1)
                if (Answer(listener, secret) is { } link) links.Add(link);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <returns>Seconds of each exchange, both passes.</returns>
    public double[] Run(int iterations)
    {
        var seconds = new double[iterations];
        using var team = new ThreadTeam(2 * links.Count, Close);
        team.Run(thread =>
        {
            var link = thread / 2;
            for (var i = -WarmUp; i < iterations; i++)
            {
                team.Meet();
                var started = Stopwatch.GetTimestamp();
                for (var pass = 0; pass < Passes; pass++)
                {
                    if (thread % 2 == 0) Send(links[link]);
                    else Receive(links[link], incoming + (nint)(link * part));
                    team.Meet();
                }
                if (thread == 0 && i >= 0) seconds[i] = Stopwatch.GetElapsedTime(started).TotalSeconds;
            }
        });
        return seconds;
    }

    public void Dispose()
    {
        Close();
        NativeMemory.AlignedFree((void*)outgoing);
        NativeMemory.AlignedFree((void*)incoming);
    }

    private void Close() => links.ForEach(link => link.Dispose());

    private void Send(Socket link)
    {
        for (long sent = 0; sent < part;) sent += link.Send(new ReadOnlySpan<byte>((byte*)outgoing + sent, Chunk(part - sent)));
    }

    private void Receive(Socket link, nint target)
    {
        for (long received = 0; received < part;)
        {
            var count = link.Receive(new Span<byte>((byte*)target + received, Chunk(part - received)));
            if (count == 0) throw new IOException("Another silo of the bench closed its connection.");
            received += count;
        }
    }

    private static int Chunk(long left) => (int)Math.Min(left, 1 << 30);

    private static Socket Call(IPEndPoint target, byte[] secret)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Connect(target);
        socket.Send(secret);
        return socket;
    }

    /// <returns>Null for a caller that is no silo of this run.</returns>
    private static Socket? Answer(Socket listener, byte[] secret)
    {
        if (!listener.Poll(LongestConnect, SelectMode.SelectRead))
            throw new JobException(
                ErrorCodes.Deadline, $"Raw exchange: no connection from another silo for {LongestConnect.TotalSeconds:0} s.");
        var socket = listener.Accept();
        socket.NoDelay = true;
        socket.ReceiveTimeout = (int)LongestConnect.TotalMilliseconds;
        var greeting = new byte[secret.Length];
        var got = 0;
        while (got < greeting.Length && socket.Receive(greeting.AsSpan(got)) is > 0 and var count) got += count;
        if (got == greeting.Length && CryptographicOperations.FixedTimeEquals(greeting, secret)) return socket;
        socket.Dispose();
        return null;
    }

    private static nint Allocate(long bytes)
    {
        var address = (nint)NativeMemory.AlignedAlloc((nuint)bytes, 64);
        NativeMemory.Clear((void*)address, (nuint)bytes);
        return address;
    }
}
