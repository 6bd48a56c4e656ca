using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Distributed.Silo.Security;

namespace Distributed.Silo.Tests.Security;

/// <summary>An authority and certificates of its making, good and bad, in a folder of their own.</summary>
internal sealed class TestAuthority : IDisposable
{
    private const string ServerUse = "1.3.6.1.5.5.7.3.1";
    private static readonly DateTimeOffset Now = TimeProvider.System.GetUtcNow();
    private readonly ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 authority;

    public TestAuthority(string name = "test authority")
    {
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        authority = request.CreateSelfSigned(Now.AddDays(-100), Now.AddDays(100));
        File.WriteAllText(Path("ca.crt"), authority.ExportCertificatePem());
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("dtrain-test-").FullName;

    public string Path(string name) => System.IO.Path.Combine(Folder, name);

    /// <summary>Writes NAME.crt and NAME.key.</summary>
    /// <param name="serverOnly">Forbids the use by a client.</param>
    public TestAuthority Issue(
        string name, string dnsName = PeerCheck.SiloName, int fromDays = -1, int toDays = 30, bool serverOnly = false)
    {
        using var own = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", own, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(dnsName);
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        if (serverOnly) request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(ServerUse)], false));
        using var issued = request.Create(authority, Now.AddDays(fromDays), Now.AddDays(toDays), RandomNumberGenerator.GetBytes(8));
        File.WriteAllText(Path($"{name}.crt"), issued.ExportCertificatePem());
        File.WriteAllText(Path($"{name}.key"), own.ExportPkcs8PrivateKeyPem());
        return this;
    }

    public X509Certificate2 Load(string name) => X509Certificate2.CreateFromPemFile(Path($"{name}.crt"), Path($"{name}.key"));

    public PemFiles EndpointFiles(string name) =>
        new(new PemFile("DTRAIN_TLS_CERT", Path($"{name}.crt")), new PemFile("DTRAIN_TLS_KEY", Path($"{name}.key")));

    public PemFiles SiloFiles(string name) => new(
        new PemFile("DTRAIN_SILO_CERT", Path($"{name}.crt")), new PemFile("DTRAIN_SILO_KEY", Path($"{name}.key")),
        new PemFile("DTRAIN_SILO_CA", Path("ca.crt")));

    public void Dispose()
    {
        Directory.Delete(Folder, recursive: true);
        authority.Dispose();
        key.Dispose();
    }
}
