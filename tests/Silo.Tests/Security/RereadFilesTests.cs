using System.Net.Security;
using Distributed.Silo.Security;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Distributed.Silo.Tests.Security;

public sealed class RereadFilesTests : IDisposable
{
    private readonly TestAuthority authority = new TestAuthority().Issue("silo").Issue("next");
    private readonly FakeTimeProvider time = new();

    public void Dispose() => authority.Dispose();

    [Fact]
    public void Value_PairReplaced_IsUsedOnceBothHalvesFit()
    {
        var files = authority.EndpointFiles("silo");
        var log = new CountingLogger();
        var current = new RereadFiles<SslStreamCertificateContext>(
            files, texts => GatewayCertificate.Read(files, texts, TimeProvider.System.GetUtcNow()), time, log);
        Assert.Equal("CN=silo", Subject());
        File.Copy(authority.Path("next.crt"), authority.Path("silo.crt"), overwrite: true);
        Assert.Equal("CN=silo", Subject());
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal("CN=silo", Subject());
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal("CN=silo", Subject());
        Assert.Equal(1, log.Warnings);
        File.Copy(authority.Path("next.key"), authority.Path("silo.key"), overwrite: true);
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal("CN=next", Subject());
        File.Delete(authority.Path("silo.key"));
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal("CN=next", Subject());
        Assert.Equal(2, log.Warnings);

        string Subject() => current.Value.TargetCertificate.Subject;
    }

    [Fact]
    public async Task Identity_AuthorityReplaced_NewHandshakesFollowIt()
    {
        using TestAuthority successor = new("successor");
        successor.Issue("silo");
        using var caller = await TunnelSite.Start(authority.SiloFiles("silo"));
        using var own = successor.Load("silo");
        Assert.False(await Stranger.Knock(caller.Tunnel.Endpoint, own));
        // Both authorities are trusted while silos change over one by one.
        File.AppendAllText(authority.Path("ca.crt"), "\n" + File.ReadAllText(successor.Path("ca.crt")));
        await Task.Delay(RereadFiles<object>.Interval + TimeSpan.FromMilliseconds(100), TimeProvider.System);
        using var next = await TunnelSite.Start(successor.SiloFiles("silo"));
        var (endpoint, _) = caller.Tunnel.Publish(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 1));
        File.Copy(authority.Path("ca.crt"), successor.Path("ca.crt"), overwrite: true);
        await Task.Delay(RereadFiles<object>.Interval + TimeSpan.FromMilliseconds(100), TimeProvider.System);
        // Let in: what it misses is only the listener behind the tunnel.
        var error = Record.Exception(() => next.Tunnel.Connect(endpoint));
        Assert.DoesNotContain("signed", error!.Message, StringComparison.Ordinal);
        Assert.Contains("listener", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Note_ManyStrangers_AreToldOfOnceAMinute()
    {
        var log = new CountingLogger();
        RefusedPeers refused = new(time, log);
        for (var i = 0; i < 1000; i++) refused.Note("exchange tunnel", null, "it presented no certificate");
        Assert.Equal((1000, 1), (refused.Count, log.Warnings));
        time.Advance(TimeSpan.FromSeconds(61));
        refused.Note("exchange tunnel", null, "it presented no certificate");
        Assert.Equal(2, log.Warnings);
    }

    private sealed class CountingLogger : ILogger<RefusedPeers>
    {
        public int Warnings { get; private set; }

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (logLevel == LogLevel.Warning) Warnings++;
        }
    }
}
