using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Distributed.Client.Certificates;

/// <summary>A private authority and the certificates it signs; ECDSA on P-256 throughout.</summary>
internal sealed class CertificateMaker : IDisposable
{
    /// <summary>The DNS name by which silos know each other; the silo's own code looks for it.</summary>
    public const string SiloName = "dtrain-silo";

    /// <summary>Clocks may differ by this much.</summary>
    private static readonly TimeSpan Early = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan AuthorityLife = TimeSpan.FromDays(3650);
    private static readonly Oid ServerUse = new("1.3.6.1.5.5.7.3.1");
    private static readonly Oid ClientUse = new("1.3.6.1.5.5.7.3.2");

    private CertificateMaker(X509Certificate2 authority) => Authority = authority;

    /// <value>With its key.</value>
    public X509Certificate2 Authority { get; }

    public static CertificateMaker Create(DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=dtrain authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(
            new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: true, 0, critical: true));
        request.CertificateExtensions.Add(
            new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        return new CertificateMaker(request.CreateSelfSigned(now - Early, now + AuthorityLife));
    }

    /// <exception cref="CryptographicException">No certificate and key in PEM.</exception>
    /// <exception cref="ArgumentException">They do not belong together, or are no authority.</exception>
    public static CertificateMaker Read(string certificate, string key)
    {
        var authority = X509Certificate2.CreateFromPem(certificate, key);
        if (authority.Extensions.OfType<X509BasicConstraintsExtension>().Any(e => e.CertificateAuthority))
            return new CertificateMaker(authority);
        authority.Dispose();
        throw new ArgumentException("the certificate is not that of an authority");
    }

    /// <summary>For the endpoint of the silos.</summary>
    /// <param name="hosts">DNS names and addresses that clients use.</param>
    public X509Certificate2 MakeEndpoint(IEnumerable<string> hosts, DateTimeOffset now, int days) =>
        Make("dtrain endpoint", hosts, [ServerUse], now, days);

    /// <summary>For the connections between silos.</summary>
    public X509Certificate2 MakeSilo(DateTimeOffset now, int days) => Make("dtrain silo", [SiloName], [ServerUse, ClientUse], now, days);

    public void Dispose() => Authority.Dispose();

    private X509Certificate2 Make(string name, IEnumerable<string> hosts, OidCollection uses, DateTimeOffset now, int days)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(uses, critical: false));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(
            Authority, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        request.CertificateExtensions.Add(Names(hosts));
        // Nothing outlives its authority.
        DateTimeOffset until = now.AddDays(days), end = Authority.NotAfter, from = now - Early, begin = Authority.NotBefore;
        var serial = RandomNumberGenerator.GetBytes(16);
        serial[0] &= 0x7f;
        using var issued = request.Create(Authority, from < begin ? begin : from, until > end ? end : until, serial);
        return issued.CopyWithPrivateKey(key);
    }

    private static X509Extension Names(IEnumerable<string> hosts)
    {
        var names = new SubjectAlternativeNameBuilder();
        foreach (var host in hosts)
        {
            if (IPAddress.TryParse(host, out var address)) names.AddIpAddress(address);
            else names.AddDnsName(host);
        }
        return names.Build();
    }
}
