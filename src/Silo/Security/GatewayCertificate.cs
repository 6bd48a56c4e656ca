using System.Net.Security;
using System.Security.Authentication;
using Distributed.Core.Jobs;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Distributed.Silo.Security;

/// <summary>TLS at the endpoint, with what the files hold at the time of each handshake.</summary>
internal sealed class GatewayCertificate(PemFiles files, TimeProvider time, ILogger<GatewayCertificate> logger)
{
    private static readonly TimeSpan LongestHandshake = TimeSpan.FromSeconds(10);

    private readonly RereadFiles<SslStreamCertificateContext> current = new(
        files, texts => Read(files, texts, time.GetUtcNow()), time, logger);

    /// <exception cref="JobException">What is wrong with a file.</exception>
    public static SslStreamCertificateContext Read(PemFiles files, IReadOnlyList<string> texts, DateTimeOffset now)
    {
        var (leaf, others) = CertificatePair.Read(files, texts, now);
        return CertificatePair.Context(leaf, others);
    }

    /// <summary>Plaintext gRPC without a certificate; with one TLS, and then HTTP/1.1 beside it, which probes of a cluster speak.</summary>
    public static void Guard(ListenOptions listen, GatewayCertificate? certificate)
    {
        listen.Protocols = certificate is null ? HttpProtocols.Http2 : HttpProtocols.Http1AndHttp2;
        if (certificate is null) return;
        listen.UseHttps(
            new TlsHandshakeCallbackOptions { HandshakeTimeout = LongestHandshake, OnConnection = _ => new(certificate.Answering()) });
    }

    private SslServerAuthenticationOptions Answering() => new()
    {
        ServerCertificateContext = current.Value,
        EnabledSslProtocols = SslProtocols.Tls13 | SslProtocols.Tls12,
        AllowRenegotiation = false,
    };
}
