using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Distributed.EndToEnd.Tests.Cli;
using Distributed.EndToEnd.Tests.Train;
using Distributed.Testing;

namespace Distributed.EndToEnd.Tests.Tools;

/// <summary>A silo that is open to the network: TLS, or nothing.</summary>
public sealed class SecureGatewayTests(SecureSilo silo) : IClassFixture<SecureSilo>, IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    private int Port => new Uri(silo.Address.Replace("0.0.0.0", "127.0.0.1", StringComparison.Ordinal)).Port;

    [Fact]
    public async Task Submit_TrustedAuthority_TrainsTheJob()
    {
        var job = directory.Write("job.yaml", Jobs.Endless);
        (await RunAsync("https", "submit", job, "--set", "steps=3", "--wait", "--json", "--ca", silo.Authority)).Exits(0);
    }

    [Fact]
    public async Task List_WithoutTheAuthority_Exits3AndSaysSo() =>
        (await RunAsync("https", "list")).Exits(3).SaysOneFailure().Says("which this machine does not trust", "--ca");

    [Fact]
    public async Task List_Plaintext_Exits3AndSaysHttps() =>
        (await RunAsync("http", "list")).Exits(3).SaysOneFailure().Says("uses TLS, but was called in plaintext", "https://");

    [Fact]
    public async Task List_WrongToken_Exits2()
    {
        var token = directory.Write("token", "another token, long enough");
        (await DtrainProcess.RunAsync("list", "--cluster", $"https://localhost:{Port}", "--ca", silo.Authority, "--token-file", token))
            .Exits(2).Says("refused the token");
    }

    [Fact]
    public async Task Endpoint_Http1Probe_IsAnsweredInsideTls()
    {
        using SocketsHttpHandler handler = new();
        handler.SslOptions.RemoteCertificateValidationCallback = (_, shown, _, _) => shown is not null;
        using HttpClient client = new(handler);
        using HttpRequestMessage probe = new(HttpMethod.Get, $"https://127.0.0.1:{Port}/")
        {
            Version = HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        using var answer = await client.SendAsync(probe);
        Assert.Equal((HttpVersion.Version11, HttpStatusCode.NotFound), (answer.Version, answer.StatusCode));
    }

    [Fact]
    public async Task Endpoint_RenewedCertificate_IsShownWithoutARestart()
    {
        var before = await ShownAsync();
        (await DtrainProcess.RunAsync("certs", silo.Certificates, "--renew")).Exits(0);
        var until = Stopwatch.StartNew();
        while (await ShownAsync() == before && until.Elapsed < TimeSpan.FromMinutes(20))
            await Task.Delay(ProcessTable.PollInterval, TimeProvider.System);
        Assert.NotEqual(before, await ShownAsync());
        (await RunAsync("https", "list", "--ca", silo.Authority)).Exits(0);
    }

    [Theory]
    [InlineData("DTRAIN_TLS_CERT with DTRAIN_TLS_KEY and DTRAIN_SILO_CERT", "DTRAIN_ADDRESS=0.0.0.0")]
    [InlineData(
        "DTRAIN_TLS_CERT: no file /nowhere/endpoint.crt", "DTRAIN_TLS_CERT=/nowhere/endpoint.crt", "DTRAIN_TLS_KEY=/nowhere/endpoint.key")]
    public async Task Serve_UnsafeSettings_EndsWithOneMessage(string expected, params string[] settings)
    {
        var start = BuiltProgram.Start(BuiltProgram.Silo, ["serve"]);
        start.Environment["DTRAIN_TOKEN_FILE"] = silo.TokenFile;
        start.Environment["DTRAIN_JOBS_ROOT"] = start.Environment["DTRAIN_DATA_ROOT"] = directory.File("files");
        foreach (var setting in settings) start.Environment[setting.Split('=')[0]] = setting.Split('=')[1];
        using var process = Process.Start(start)!;
        var error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.Equal(1, process.ExitCode);
        Assert.Contains(expected, error, StringComparison.Ordinal);
        Assert.Single(error.Trim().Split('\n'));
    }

    private Task<DtrainResult> RunAsync(string scheme, params string[] arguments) =>
        DtrainProcess.RunAsync([.. arguments, "--cluster", $"{scheme}://localhost:{Port}", "--token-file", silo.TokenFile]);

    /// <summary>The serial number of the certificate that the endpoint shows.</summary>
    private async Task<string> ShownAsync()
    {
        var serial = "";
        using TcpClient client = new();
        await client.ConnectAsync(IPAddress.Loopback, Port);
        await using SslStream tls = new(
            client.GetStream(), false, (_, shown, _, _) => (serial = ((X509Certificate2)shown!).SerialNumber).Length > 0);
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost" });
        return serial;
    }
}
