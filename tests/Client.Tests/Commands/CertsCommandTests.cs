using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Distributed.Testing;

namespace Distributed.Client.Tests.Commands;

public sealed class CertsCommandTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    private string Folder => directory.File("tls");

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task Certs_NewFolder_HoldsAnAuthorityAndTwoCertificatesOfIt()
    {
        var (code, output, error) = await Dtrain.RunAsync(
            "certs", Folder, "--host", "trainer.example", "--host", "10.0.0.5", "--days", "30");
        Assert.Equal(0, code);
        Assert.Equal(
            ["ca.crt", "ca.key", "endpoint.crt", "endpoint.key", "silo.crt", "silo.key"],
            Directory.GetFiles(Folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Contains("trainer.example 10.0.0.5 localhost 127.0.0.1 ::1", output, StringComparison.Ordinal);
        Assert.Contains("DTRAIN_SILO_CA=", error, StringComparison.Ordinal);
        foreach (var key in (string[])["ca.key", "endpoint.key", "silo.key"])
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(Folder, key)));

        using var authority = Load("ca");
        using var endpoint = Load("endpoint");
        using var silo = Load("silo");
        Assert.True(Builds(endpoint, authority, "1.3.6.1.5.5.7.3.1"));
        Assert.False(Builds(endpoint, authority, "1.3.6.1.5.5.7.3.2"));
        Assert.True(Builds(silo, authority, "1.3.6.1.5.5.7.3.1") && Builds(silo, authority, "1.3.6.1.5.5.7.3.2"));
        foreach (var host in (string[])["trainer.example", "10.0.0.5", "localhost", "127.0.0.1", "::1"])
            Assert.True(endpoint.MatchesHostname(host, allowWildcards: false, allowCommonName: false), host);
        Assert.False(endpoint.MatchesHostname("dtrain-silo"));
        Assert.True(silo.MatchesHostname("dtrain-silo", allowWildcards: false, allowCommonName: false));
        Assert.InRange(endpoint.NotAfter - TimeProvider.System.GetUtcNow().LocalDateTime, TimeSpan.FromDays(29), TimeSpan.FromDays(30));
        Assert.True(authority.NotAfter > endpoint.NotAfter);
        using var curve = endpoint.GetECDsaPrivateKey()!;
        Assert.Equal(256, curve.KeySize);
    }

    [Fact]
    public async Task Certs_FolderInUse_IsLeftAsItIs()
    {
        Directory.CreateDirectory(Folder);
        File.WriteAllText(Path.Combine(Folder, "silo.key"), "precious");
        var (code, _, error) = await Dtrain.RunAsync("certs", Folder);
        Assert.Equal(2, code);
        Assert.Contains("already holds silo.key", error, StringComparison.Ordinal);
        Assert.Equal("precious", File.ReadAllText(Path.Combine(Folder, "silo.key")));
        Assert.Single(Directory.GetFiles(Folder));
    }

    [Fact]
    public async Task Renew_AuthorityThere_SignsNewOnesForTheSameHosts()
    {
        await Dtrain.RunAsync("certs", Folder, "--host", "trainer.example");
        var authority = File.ReadAllText(Path.Combine(Folder, "ca.crt"));
        var before = File.ReadAllText(Path.Combine(Folder, "endpoint.crt"));
        var (code, _, _) = await Dtrain.RunAsync("certs", Folder, "--renew", "--days", "7");
        Assert.Equal(0, code);
        Assert.Equal(authority, File.ReadAllText(Path.Combine(Folder, "ca.crt")));
        Assert.NotEqual(before, File.ReadAllText(Path.Combine(Folder, "endpoint.crt")));
        using X509Certificate2 root = Load("ca"), endpoint = Load("endpoint");
        Assert.True(Builds(endpoint, root, "1.3.6.1.5.5.7.3.1"));
        Assert.True(endpoint.MatchesHostname("trainer.example"));
        Assert.Equal(6, Directory.GetFiles(Folder).Length);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(Folder, "endpoint.key")));
    }

    [Fact]
    public async Task Renew_NobodySaysForWhichHosts_Exits2AndChangesNothing()
    {
        await Dtrain.RunAsync("certs", Folder, "--host", "trainer.example");
        File.Delete(Path.Combine(Folder, "endpoint.crt"));
        var before = File.ReadAllText(Path.Combine(Folder, "silo.crt"));
        var (code, _, error) = await Dtrain.RunAsync("certs", Folder, "--renew");
        Assert.Equal(2, code);
        Assert.Contains("holds no endpoint.crt that names the hosts. Name them with --host.", error, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllText(Path.Combine(Folder, "silo.crt")));
        (code, _, _) = await Dtrain.RunAsync("certs", Folder, "--renew", "--host", "trainer.example");
        Assert.Equal(0, code);
        using var endpoint = Load("endpoint");
        Assert.True(endpoint.MatchesHostname("trainer.example"));
    }

    [Fact]
    public async Task Renew_NoAuthority_Exits2()
    {
        var (code, _, error) = await Dtrain.RunAsync("certs", Folder, "--renew");
        Assert.Equal(2, code);
        Assert.Contains("holds no authority", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Renew_DamagedAuthority_Exits2WithoutItsContent()
    {
        await Dtrain.RunAsync("certs", Folder);
        File.WriteAllText(Path.Combine(Folder, "ca.key"), "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----");
        var (code, _, error) = await Dtrain.RunAsync("certs", Folder, "--renew");
        Assert.Equal(2, code);
        Assert.Contains("not an authority and its key", error, StringComparison.Ordinal);
        Assert.DoesNotContain("AAAA", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--host: found 'a b'", "--host", "a b")]
    [InlineData("--host: found 'https://trainer.example'", "--host", "https://trainer.example")]
    [InlineData("--days: found '0'", "--days", "0")]
    public async Task Certs_BadOption_Exits2(string expected, params string[] options)
    {
        var (code, _, error) = await Dtrain.RunAsync(["certs", Folder, .. options]);
        Assert.Equal(2, code);
        Assert.Contains(expected, error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Folder));
    }

    private X509Certificate2 Load(string name) =>
        X509Certificate2.CreateFromPemFile(Path.Combine(Folder, $"{name}.crt"), Path.Combine(Folder, $"{name}.key"));

    private static bool Builds(X509Certificate2 certificate, X509Certificate2 authority, string use)
    {
        using X509Chain chain = new();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(use));
        return chain.Build(certificate);
    }
}
