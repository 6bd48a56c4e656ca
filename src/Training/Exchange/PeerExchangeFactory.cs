using System.Net.Sockets;
using Distributed.Core.Jobs;

namespace Distributed.Training.Exchange;

/// <summary>Connects a silo to all others of its generation, over sockets of their own.</summary>
/// <param name="wire">What lies between the silos.</param>
/// <param name="warn">Takes lines about refused callers.</param>
/// <param name="cores">For the silos of one machine; null: all that it has.</param>
/// <param name="log">Takes a line about the way to each other silo.</param>
public sealed class PeerExchangeFactory(
    IExchangeRendezvous rendezvous, IExchangeWire wire, bool overlap, Action<string> warn, int? cores = null, Action<string>? log = null)
    : IExchangeFactory
{
    private static readonly TimeSpan LongestConnect = TimeSpan.FromSeconds(60);

    public IGradientExchange Open(ExchangeJob job)
    {
        var silos = job.Silos;
        var buffers = new ExchangeBuffers(job);
        var listener = new PeerListener(wire, warn);
        var links = new List<PeerLink>();
        try
        {
            var mesh = rendezvous.Meet(new ExchangeOffer(listener.Endpoint, silos.Fingerprint));
            byte[] secret = [.. mesh.Secret];
            listener.Open(silos, secret);
            for (var silo = 0; silo < silos.Index; silo++) links.Add(Call(mesh.Endpoints[silo], silo, buffers, secret));
            for (var silo = silos.Index + 1; silo < silos.Count; silo++)
            {
                links.Add(Link(listener.Take(LongestConnect), buffers));
            }
            links.Sort((a, b) => a.Silo.CompareTo(b.Silo));
            log?.Invoke($"exchanges gradients with {string.Join(", ", links.Select(l => $"{silos.Names[l.Silo]} by {l.Kind}"))}");
            return new PeerExchange(job, buffers, links, listener, overlap, HasCoreForEach(mesh, silos));
        }
        catch
        {
            links.ForEach(l => l.Dispose());
            listener.Dispose();
            buffers.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Whether every rank on this machine has a core, and the wire too if it needs one, so that looking for news takes
    /// no time from another.
    /// </summary>
    private bool HasCoreForEach(ExchangeMesh mesh, ExchangeSilos silos)
    {
        var here = HostOf(mesh.Endpoints[silos.Index]);
        var silosHere = mesh.Endpoints.Count(e => HostOf(e) == here);
        return silosHere * (silos.RanksHere + (wire.NeedsCores ? 1 : 0)) <= (cores ?? Environment.ProcessorCount);
    }

    private static string HostOf(string endpoint) => endpoint[..endpoint.LastIndexOf(':')];

    private PeerLink Call(string endpoint, int silo, ExchangeBuffers buffers, byte[] secret)
    {
        Socket? socket = null;
        try
        {
            socket = Connect(PeerAddress.Parse(endpoint));
            var (sealOut, sealIn) = PeerHandshake.Call(socket, buffers.Silos, silo, secret);
            var stream = socket.AddressFamily == AddressFamily.Unix ? MemoryHandover.Take(socket) : new SocketStream(socket);
            return Link(new ProvenPeer(silo, stream, sealOut, sealIn), buffers);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            socket?.Dispose();
            throw new JobException(ErrorCodes.SiloLost,
                $"Silo {buffers.Silos.Names[buffers.Silos.Index]} cannot reach the exchange of silo {buffers.Silos.Names[silo]} at "
                + $"{endpoint} ({e.Message}); look at that silo's log and at the network between them, "
                + "then resume from the last checkpoint.", e);
        }
        catch
        {
            socket?.Dispose();
            throw;
        }
    }

    /// <summary>Within the machine where that is possible, otherwise over the wire.</summary>
    private Socket Connect(PeerAddress address)
    {
        if (!wire.IsOneMachine || address.Local is not { } name) return wire.Connect(address.Wire);
        var local = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            local.Connect(PeerAddress.LocalEndpoint(name));
            return local;
        }
        catch (SocketException)
        {
            // Another machine, or another network namespace of this one.
            local.Dispose();
            return wire.Connect(address.Wire);
        }
    }

    internal static PeerLink Link(ProvenPeer peer, ExchangeBuffers buffers)
    {
        var plan = buffers.Plan;
        var trailer = Enumerable.Range(0, plan.Slices.Count).Max(buffers.SumTrailerBytes);
        var losses = (plan.SiloRuns.Max(r => r.Count) + SiloReports.Most) * sizeof(double);
        var scratch = Math.Max(plan.LongestSlice * sizeof(float), Math.Max(losses, PeerHandshake.LongestReason));
        return new PeerLink(peer.Silo, peer.Stream, peer.Out, peer.In, trailer, scratch);
    }
}
