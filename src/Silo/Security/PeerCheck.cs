using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Distributed.Silo.Security;

/// <summary>
/// What makes a certificate that of a silo: an authority that is trusted for silos and nothing else, its dates, its use, and its name.
/// </summary>
internal static class PeerCheck
{
    /// <summary>The DNS name in every silo's certificate.</summary>
    public const string SiloName = "dtrain-silo";

    private static readonly Oid Server = new("1.3.6.1.5.5.7.3.1");
    private static readonly Oid Client = new("1.3.6.1.5.5.7.3.2");

    /// <summary>How the chain of a silo's certificate is built: from these roots only, without the network.</summary>
    /// <param name="asServer">It answered; otherwise it called. A certificate without a list of uses may do both.</param>
    public static X509ChainPolicy Policy(X509Certificate2Collection roots, bool asServer)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        policy.CustomTrustStore.AddRange(roots);
        policy.ApplicationPolicy.Add(asServer ? Server : Client);
        return policy;
    }

    /// <param name="chain">Built by <see cref="Policy"/>.</param>
    /// <returns>Why this is no silo of ours; null when it is.</returns>
    public static string? Refusal(X509Certificate2? certificate, X509Chain? chain, DateTimeOffset now)
    {
        if (certificate is null || chain is null) return "it presented no certificate";
        foreach (var element in chain.ChainElements)
            if (element.ChainElementStatus.Any(s => s.Status.HasFlag(X509ChainStatusFlags.NotTimeValid)))
                return $"the certificate {element.Certificate.Subject} is valid from {CertificatePair.Date(element.Certificate.NotBefore)} "
                    + $"to {CertificatePair.Date(element.Certificate.NotAfter)}, and it is {CertificatePair.Date(now)}";
        var status = chain.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, (all, s) => all | s.Status);
        if ((status & (X509ChainStatusFlags.PartialChain | X509ChainStatusFlags.UntrustedRoot)) != 0)
            return $"the certificate {certificate.Subject} is not signed by an authority of DTRAIN_SILO_CA, but by {certificate.Issuer}";
        if (status.HasFlag(X509ChainStatusFlags.NotValidForUsage))
            return $"the certificate {certificate.Subject} is not made for both TLS servers and TLS clients";
        if (status != X509ChainStatusFlags.NoError) return $"the certificate {certificate.Subject} is refused ({status})";
        return certificate.MatchesHostname(SiloName, allowWildcards: false, allowCommonName: false)
            ? null
            : $"the certificate {certificate.Subject} does not carry the name {SiloName}";
    }
}
