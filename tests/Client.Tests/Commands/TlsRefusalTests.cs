using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Distributed.Testing;

namespace Distributed.Client.Tests.Commands;

/// <summary>What a user is told when client and endpoint do not agree on TLS.</summary>
public sealed class TlsRefusalTests : IAsyncLifetime, IDisposable
{
    private readonly TemporaryDirectory directory = new();

    private string Authority => Path.Combine(directory.File("tls"), "ca.crt");

    public async Task InitializeAsync() =>
        Assert.Equal(0, (await Dtrain.RunAsync("certs", directory.File("tls"), "--host", "trainer.example")).Code);

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task List_UnknownAuthority_SaysToNameIt()
    {
        using var certificate = Endpoint();
        await Refused(
            certificate, "https://localhost",
            "signed by CN=dtrain authority, which this machine does not trust. Name the file of its authority with --ca");
    }

    [Fact]
    public async Task List_AnotherAuthorityNamed_SaysSo()
    {
        await Dtrain.RunAsync("certs", directory.File("other"));
        using var certificate = Endpoint();
        await Refused(
            certificate, "https://localhost", "none of the authorities in the file that --ca names", "--ca",
            Path.Combine(directory.File("other"), "ca.crt"));
    }

    [Fact]
    public async Task List_OtherHost_NamesThoseOfTheCertificate()
    {
        using var certificate = Issue("trainer.example", -1, 1);
        await Refused(certificate, "https://localhost", "is for trainer.example, not for localhost", "--ca", Authority);
    }

    [Theory]
    [InlineData(-10, -1, "has expired")]
    [InlineData(1, 10, "is not valid yet")]
    public async Task List_OutOfDate_SaysTheDates(int from, int to, string expected)
    {
        using var certificate = Issue("localhost", from, to);
        var dates = $"from {certificate.NotBefore.ToUniversalTime():yyyy-MM-dd HH:mm:ss}Z to "
            + $"{certificate.NotAfter.ToUniversalTime():yyyy-MM-dd HH:mm:ss}Z";
        await Refused(certificate, "https://localhost", $"{expected}: it is valid {dates}", "--ca", Authority);
    }

    [Fact]
    public async Task List_PlaintextAtTls_SaysToUseHttps()
    {
        using var certificate = Endpoint();
        await Refused(certificate, "http://127.0.0.1", "uses TLS, but was called in plaintext. Use https://");
    }

    [Fact]
    public Task List_TlsAtPlaintext_SaysSo() => Refused(null, "https://127.0.0.1", "does not answer with TLS");

    [Fact]
    public async Task List_SilentPlaintextServer_IsNotTakenForTls()
    {
        using TlsEndpoint endpoint = new(null);
        var (code, _, error) = await Dtrain.RunAsync("list", "--cluster", $"http://127.0.0.1:{endpoint.Port}");
        Assert.Equal(3, code);
        Assert.DoesNotContain("TLS", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("cannot be read", "/nowhere/ca.crt")]
    [InlineData("holds no certificate in PEM form", "/dev/null")]
    public async Task List_BadAuthorityFile_Exits2(string expected, string file)
    {
        var (code, _, error) = await Dtrain.RunAsync("list", "--cluster", "https://127.0.0.1:1", "--ca", file);
        Assert.Equal(2, code);
        Assert.Contains(expected, error, StringComparison.Ordinal);
    }

    private static async Task Refused(X509Certificate2? certificate, string address, string expected, params string[] options)
    {
        using TlsEndpoint endpoint = new(certificate);
        var (code, output, error) = await Dtrain.RunAsync(["list", "--cluster", $"{address}:{endpoint.Port}", .. options]);
        Assert.True(code == 3, error);
        Assert.Empty(output);
        Assert.Contains(expected, error, StringComparison.Ordinal);
        Assert.Single(error.Trim().Split('\n'));
    }

    private X509Certificate2 Endpoint() => Load("endpoint");

    private X509Certificate2 Load(string name) => X509Certificate2.CreateFromPemFile(
        Path.Combine(directory.File("tls"), $"{name}.crt"), Path.Combine(directory.File("tls"), $"{name}.key"));

    private X509Certificate2 Issue(string host, int fromDays, int toDays)
    {
        // The authority of the folder begins now; one that is older signs what is old.
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest root = new("CN=old authority", key, HashAlgorithmName.SHA256);
        root.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        var now = TimeProvider.System.GetUtcNow();
        using var authority = root.CreateSelfSigned(now.AddDays(-100), now.AddDays(100));
        File.WriteAllText(Authority, authority.ExportCertificatePem());
        using var own = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=endpoint", own, HashAlgorithmName.SHA256);
        SubjectAlternativeNameBuilder names = new();
        names.AddDnsName(host);
        request.CertificateExtensions.Add(names.Build());
        using var issued = request.Create(authority, now.AddDays(fromDays), now.AddDays(toDays), [1, 2, 3]);
        return issued.CopyWithPrivateKey(own);
    }
}
