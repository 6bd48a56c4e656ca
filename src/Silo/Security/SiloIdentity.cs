using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Distributed.Core.Jobs;
using Distributed.Silo.Failures;
using Distributed.Silo.Settings;

namespace Distributed.Silo.Security;

/// <summary>Proves this silo to the others and judges theirs, with what the files hold at the time of each handshake.</summary>
internal sealed class SiloIdentity(PemFiles files, TimeProvider time, ILogger<SiloIdentity> logger)
{
    public static readonly TimeSpan LongestHandshake = TimeSpan.FromSeconds(20);

    private readonly RereadFiles<Material> current = new(files, texts => Read(files, texts, time.GetUtcNow()), time, logger);

    /// <exception cref="JobException">What is wrong with a file, or why other silos would refuse this certificate.</exception>
    public static Material Read(PemFiles files, IReadOnlyList<string> texts, DateTimeOffset now)
    {
        const int authorities = 2;
        var (leaf, others) = CertificatePair.Read(files, texts, now);
        var roots = CertificatePair.Certificates(files, texts, authorities);
        foreach (var asServer in (bool[])[true, false])
        {
            using var chain = new X509Chain { ChainPolicy = PeerCheck.Policy(roots, asServer) };
            chain.ChainPolicy.ExtraStore.AddRange(others);
            chain.Build(leaf);
            if (PeerCheck.Refusal(leaf, chain, now) is { } refusal)
                throw new JobException(
                    ServeErrors.SettingsInvalid,
                    $"{files.Name(0)}: {refusal}; the other silos would refuse it. 'dtrain certs' makes certificates that fit.");
        }
        return new Material(CertificatePair.Context(leaf, others), roots);
    }

    /// <param name="refused">Takes why the caller was refused, before the handshake fails.</param>
    public SslServerAuthenticationOptions Answering(Action<string> refused)
    {
        var material = current.Value;
        return new SslServerAuthenticationOptions
        {
            ServerCertificateContext = material.Own,
            ClientCertificateRequired = true,
            EnabledSslProtocols = SslProtocols.Tls13 | SslProtocols.Tls12,
            AllowRenegotiation = false,
            // Every caller proves itself anew: connections between silos live long.
            AllowTlsResume = false,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            CertificateChainPolicy = PeerCheck.Policy(material.Roots, asServer: false),
            RemoteCertificateValidationCallback = (_, certificate, chain, _) => Judge(certificate, chain, refused),
        };
    }

    /// <param name="refused">Takes why the answering side was refused, before the handshake fails.</param>
    public SslClientAuthenticationOptions Calling(Action<string> refused)
    {
        var material = current.Value;
        return new SslClientAuthenticationOptions
        {
            TargetHost = PeerCheck.SiloName,
            ClientCertificateContext = material.Own,
            EnabledSslProtocols = SslProtocols.Tls13 | SslProtocols.Tls12,
            AllowTlsResume = false,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            CertificateChainPolicy = PeerCheck.Policy(material.Roots, asServer: true),
            RemoteCertificateValidationCallback = (_, certificate, chain, _) => Judge(certificate, chain, refused),
        };
    }

    private bool Judge(X509Certificate? certificate, X509Chain? chain, Action<string> refused)
    {
        if (PeerCheck.Refusal(certificate as X509Certificate2, chain, time.GetUtcNow()) is not { } refusal) return true;
        refused(refusal);
        return false;
    }

    internal sealed record Material(SslStreamCertificateContext Own, X509Certificate2Collection Roots);
}
