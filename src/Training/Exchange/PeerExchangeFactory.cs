using System.Net.Sockets;
using Distributed.Core.Jobs;

namespace Distributed.Training.Exchange;

/// <summary>Connects a silo to all others of its generation, over sockets of their own.</summary>
/// <param name="wire">What lies between the silos.</param>
/// <param name="warn">Takes lines about refused callers.</param>
/// <param name="cores">For the silos of one machine; null: all that it has.</param>
public sealed class PeerExchangeFactory(
    IExchangeRendezvous rendezvous, IExchangeWire wire, bool overlap, Action<string> warn, int? cores = null) : IExchangeFactory
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
                var (from, socket, sealOut, sealIn) = listener.Take(LongestConnect);
                links.Add(Link(from, socket, sealOut, sealIn, buffers));
            }
            links.Sort((a, b) => a.Silo.CompareTo(b.Silo));
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
            socket = wire.Connect(endpoint);
            var (sealOut, sealIn) = PeerHandshake.Call(socket, buffers.Silos, silo, secret);
            return Link(silo, socket, sealOut, sealIn, buffers);
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

    internal static PeerLink Link(int silo, Socket socket, FrameSeal sealOut, FrameSeal sealIn, ExchangeBuffers buffers)
    {
        var plan = buffers.Plan;
        var trailer = Enumerable.Range(0, plan.Slices.Count).Max(buffers.SumTrailerBytes);
        var losses = (plan.SiloRuns.Max(r => r.Count) + SiloReports.Most) * sizeof(double);
        var scratch = Math.Max(plan.LongestSlice * sizeof(float), Math.Max(losses, PeerHandshake.LongestReason));
        return new PeerLink(silo, socket, sealOut, sealIn, trailer, scratch);
    }
}
