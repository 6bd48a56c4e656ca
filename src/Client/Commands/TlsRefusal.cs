using System.Security.Authentication;
using Distributed.Client.Cluster;
using Distributed.Client.Outcomes;
using Grpc.Core;

namespace Distributed.Client.Commands;

/// <summary>Calls that failed for what lies between plaintext and TLS, in words.</summary>
internal static class TlsRefusal
{
    /// <returns>Null when TLS is not the matter.</returns>
    public static async Task<CommandFailure?> ExplainAsync(RpcException refused, Uri address, ServerTrust trust)
    {
        if (address.Scheme == Uri.UriSchemeHttps)
        {
            if (trust.RefusalOf(address) is { } refusal)
                return new(ExitCode.Unreachable, $"The cluster {address} is not trusted: {refusal}.");
            return Causes(refused).OfType<AuthenticationException>().FirstOrDefault() is { } failed
                ? new(
                    ExitCode.Unreachable,
                    $"The cluster {address} does not answer with TLS ({failed.GetBaseException().Message.TrimEnd('.')}). "
                    + $"If its silos have no certificate (DTRAIN_TLS_CERT), use {Plain(address)} on their own machine.")
                : null;
        }
        var lost = refused.StatusCode is StatusCode.Unavailable or StatusCode.Internal or StatusCode.Cancelled;
        var refusedAtOnce = Causes(refused).OfType<System.Net.Sockets.SocketException>()
            .Any(e => e.SocketErrorCode == System.Net.Sockets.SocketError.ConnectionRefused);
        return lost && !refusedAtOnce && await TlsProbe.AnswersAsync(address, TimeProvider.System)
            ? new(
                ExitCode.Unreachable,
                $"The cluster {address} uses TLS, but was called in plaintext. Use https:// instead of http://, "
                + "with --ca FILE when its authority is a private one.")
            : null;
    }

    private static Uri Plain(Uri address) => new UriBuilder(address) { Scheme = Uri.UriSchemeHttp }.Uri;

    private static IEnumerable<Exception> Causes(RpcException refused)
    {
        for (var cause = refused.Status.DebugException; cause is not null; cause = cause.InnerException) yield return cause;
    }
}
