using System.Net;
using System.Net.Sockets;

namespace Distributed.Client.LocalCluster;

/// <summary>What the endpoint of a silo of this machine says of itself.</summary>
internal static class SiloEndpoint
{
    /// <summary>One that is frozen gives none.</summary>
    private static readonly TimeSpan AnswerDeadline = TimeSpan.FromSeconds(5);

    /// <returns>
    /// True also when the endpoint of a silo that runs is closed: it has handed its jobs over. False when there is no answer.
    /// </returns>
    public static async Task<bool> IsLeavingAsync(string address, CancellationToken cancel)
    {
        // A proxy of the environment must not come between.
        using SocketsHttpHandler handler = new() { UseProxy = false };
        using HttpClient http = new(handler)
        {
            Timeout = AnswerDeadline,
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        try
        {
            using var answer = await http.GetAsync(new Uri(new Uri(address), "/healthz/ready"), cancel);
            return answer.StatusCode == HttpStatusCode.ServiceUnavailable && MeansLeaving(await answer.Content.ReadAsStringAsync(cancel));
        }
        catch (HttpRequestException closed)
            when (closed.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionRefused })
        {
            return true;
        }
        catch (Exception silent) when (silent is HttpRequestException or TaskCanceledException && !cancel.IsCancellationRequested)
        {
            return false;
        }
    }

    /// <param name="words">One that an operator drained is draining too, and stays.</param>
    internal static bool MeansLeaving(string words) =>
        words.StartsWith("draining:", StringComparison.Ordinal) && words.Contains(" is leaving ", StringComparison.Ordinal);
}
