using System.Net;
using Distributed.Core.Jobs;
using Distributed.Silo.Security;

namespace Distributed.Silo.Tests.Security;

public sealed class NetworkSettingsTests : IDisposable
{
    private readonly TestAuthority authority = new();
    private readonly Dictionary<string, string> variables = [];

    public void Dispose() => authority.Dispose();

    [Fact]
    public void FromEnvironment_Nothing_IsLoopbackInTheClear()
    {
        var settings = Read();
        Assert.All([settings.Address, settings.SiloAddress, settings.Advertised], address => Assert.Equal(IPAddress.Loopback, address));
        Assert.Equal((0, 0), (settings.SiloPort, settings.ExchangePort));
        Assert.Null(settings.Endpoint);
        Assert.Null(settings.Silos);
    }

    [Fact]
    public void FromEnvironment_AllGiven_ReadsIt()
    {
        Secure();
        Set(
            "DTRAIN_CLUSTERING=redis", "DTRAIN_ADDRESS=0.0.0.0", "DTRAIN_ADVERTISE=10.1.2.3", "DTRAIN_SILO_PORT=11111",
            "DTRAIN_EXCHANGE_PORT=7420");
        var settings = Read();
        Assert.Equal(
            (IPAddress.Any, IPAddress.Any, IPAddress.Parse("10.1.2.3"), 11111, 7420),
            (settings.Address, settings.SiloAddress, settings.Advertised, settings.SiloPort, settings.ExchangePort));
        Assert.Equal(authority.EndpointFiles("silo").Files, settings.Endpoint!.Files);
        Assert.Equal(authority.SiloFiles("silo").Files, settings.Silos!.Files);
    }

    [Fact]
    public void FromEnvironment_InAPod_AdvertisesThePodsAddress()
    {
        Secure();
        Set("DTRAIN_ADDRESS=0.0.0.0", "DTRAIN_CLUSTERING=kubernetes", "POD_IP=10.244.1.7");
        Assert.Equal(IPAddress.Parse("10.244.1.7"), Read().Advertised);
    }

    [Fact]
    public void FromEnvironment_OpenDoorOfOneMachine_KeepsTheSilosOnLoopback()
    {
        Secure();
        Set("DTRAIN_ADDRESS=0.0.0.0");
        var settings = Read();
        Assert.Equal(
            (IPAddress.Any, IPAddress.Loopback, IPAddress.Loopback), (settings.Address, settings.SiloAddress, settings.Advertised));
    }

    [Theory]
    [InlineData("DTRAIN_ADDRESS: found 'localhost'", "DTRAIN_ADDRESS=localhost")]
    [InlineData("DTRAIN_SILO_PORT: found '70000'", "DTRAIN_SILO_PORT=70000")]
    [InlineData("DTRAIN_EXCHANGE_PORT: found '-1'", "DTRAIN_EXCHANGE_PORT=-1")]
    [InlineData("set DTRAIN_ADDRESS to 10.0.0.1 or 0.0.0.0", "DTRAIN_CLUSTERING=redis", "DTRAIN_ADVERTISE=10.0.0.1")]
    [InlineData("set DTRAIN_CLUSTERING to redis, postgres or kubernetes", "DTRAIN_ADVERTISE=10.0.0.1")]
    [InlineData("set DTRAIN_ADVERTISE to the one", "DTRAIN_CLUSTERING=postgres", "DTRAIN_ADDRESS=0.0.0.0")]
    [InlineData("DTRAIN_ADVERTISE: found 0.0.0.0", "DTRAIN_ADVERTISE=0.0.0.0")]
    [InlineData(
        "set DTRAIN_TLS_CERT with DTRAIN_TLS_KEY and DTRAIN_SILO_CERT with DTRAIN_SILO_KEY and DTRAIN_SILO_CA", "DTRAIN_ADDRESS=10.0.0.1")]
    [InlineData("DTRAIN_TLS_CERT (/) is a folder, expected a PEM file", "DTRAIN_TLS_CERT=/", "DTRAIN_TLS_KEY=/")]
    [InlineData("DTRAIN_TLS_KEY is set without DTRAIN_TLS_CERT", "DTRAIN_TLS_KEY=/k")]
    [InlineData("DTRAIN_SILO_CERT is set without DTRAIN_SILO_KEY and DTRAIN_SILO_CA", "DTRAIN_SILO_CERT=/k")]
    public void FromEnvironment_Wrong_NamesTheVariableAndTheRemedy(string expected, params string[] set)
    {
        Set(set);
        Assert.Contains(expected, Refused("settings-invalid"), StringComparison.Ordinal);
    }

    [Fact]
    public void FromEnvironment_OneSetOfCertificatesForAnOpenAddress_NamesTheOther()
    {
        Secure();
        variables.Remove("DTRAIN_TLS_CERT");
        variables.Remove("DTRAIN_TLS_KEY");
        Set("DTRAIN_ADDRESS=10.0.0.1");
        var message = Refused("settings-invalid");
        Assert.Contains("DTRAIN_TLS_CERT", message, StringComparison.Ordinal);
        Assert.DoesNotContain("DTRAIN_SILO_CERT", message, StringComparison.Ordinal);
    }

    [Fact]
    public void FromEnvironment_MissingFile_IsAMissingPath()
    {
        Secure();
        Set("DTRAIN_SILO_CA=/nowhere/ca.crt");
        Assert.Equal("DTRAIN_SILO_CA: no file /nowhere/ca.crt.", Refused("path-missing"));
    }

    [Theory]
    [InlineData("silo.crt", "no words of PEM", "found no certificate in PEM form")]
    [InlineData("silo.crt", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "cannot be read")]
    [InlineData("silo.key", "no words of PEM", "found no key in PEM form")]
    [InlineData("silo.key", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----", "without a password")]
    [InlineData("silo.key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "the key is damaged, or does not belong")]
    public void FromEnvironment_DamagedFile_SaysWhichWithoutItsContent(string file, string text, string expected)
    {
        Secure();
        File.WriteAllText(authority.Path(file), text);
        var message = Refused("settings-invalid");
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.Contains(authority.Path(file), message, StringComparison.Ordinal);
        Assert.DoesNotContain("AAAA", message, StringComparison.Ordinal);
    }

    [Fact]
    public void FromEnvironment_KeyOfAnother_IsRefused()
    {
        Secure();
        authority.Issue("other");
        Set($"DTRAIN_TLS_KEY={authority.Path("other.key")}");
        Assert.Contains("does not belong to the certificate in DTRAIN_TLS_CERT", Refused("settings-invalid"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(-10, -1, "has expired")]
    [InlineData(1, 10, "is not valid yet")]
    public void FromEnvironment_OutOfDate_SaysTheDates(int from, int to, string expected)
    {
        Secure();
        authority.Issue("late", fromDays: from, toDays: to);
        Set($"DTRAIN_TLS_CERT={authority.Path("late.crt")}", $"DTRAIN_TLS_KEY={authority.Path("late.key")}");
        var message = Refused("settings-invalid");
        Assert.Contains(expected, message, StringComparison.Ordinal);
        using var late = authority.Load("late");
        Assert.Contains(
            $"from {late.NotBefore.ToUniversalTime():yyyy-MM-dd HH:mm:ss}Z to {late.NotAfter.ToUniversalTime():yyyy-MM-dd HH:mm:ss}Z",
            message, StringComparison.Ordinal);
    }

    [Fact]
    public void FromEnvironment_SiloCertificateThatOthersWouldRefuse_IsRefusedHere()
    {
        using TestAuthority other = new("another authority");
        Secure();
        Set($"DTRAIN_SILO_CA={other.Path("ca.crt")}");
        Assert.Contains(
            "not signed by an authority of DTRAIN_SILO_CA, but by CN=test authority", Refused("settings-invalid"),
            StringComparison.Ordinal);
        Secure();
        authority.Issue("silo", dnsName: "trainer.example");
        Assert.Contains("does not carry the name dtrain-silo", Refused("settings-invalid"), StringComparison.Ordinal);
        authority.Issue("silo", serverOnly: true);
        Assert.Contains("not made for both TLS servers and TLS clients", Refused("settings-invalid"), StringComparison.Ordinal);
    }

    private void Secure()
    {
        authority.Issue("silo");
        foreach (var file in (PemFile[])[.. authority.EndpointFiles("silo").Files, .. authority.SiloFiles("silo").Files])
            variables[file.Variable] = file.Path;
    }

    private void Set(params IEnumerable<string> assignments)
    {
        foreach (var assignment in assignments) variables[assignment.Split('=')[0]] = assignment.Split('=')[1];
    }

    private NetworkSettings Read() => NetworkSettings.FromEnvironment(variables.GetValueOrDefault, TimeProvider.System.GetUtcNow());

    private string Refused(string code)
    {
        var error = Assert.Throws<JobException>(() => Read());
        Assert.Equal(code, error.Code);
        return error.Message;
    }
}
