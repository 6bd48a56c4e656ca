using System.Net;
using System.Net.Sockets;
using Distributed.EndToEnd.Tests.Cli;
using Distributed.EndToEnd.Tests.Train;
using Distributed.Testing;

namespace Distributed.EndToEnd.Tests.Tools;

/// <summary>Ports that are taken, clusters that do not answer, words that are no commands.</summary>
public sealed class GatewayCallTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task Train_PortInUse_Exits1AndNamesThePort()
    {
        using TcpListener holder = new(IPAddress.Loopback, 0);
        holder.Start();
        var port = ((IPEndPoint)holder.LocalEndpoint).Port;
        var job = directory.Write("job.yaml", Jobs.Mixed);
        var run = await DtrainProcess.RunAsync("train", job, "--port", $"{port}", "--json", "--out", directory.File("run"));
        run.Exits(1).SaysOneFailure().Says("[port-in-use]", $"Port {port} on 127.0.0.1 is in use");
    }

    [Theory]
    [InlineData("list")]
    [InlineData("status", "some-job")]
    [InlineData("watch", "some-job")]
    [InlineData("stop", "some-job")]
    public async Task Cluster_NothingListens_Exits3(params string[] command)
    {
        var run = await DtrainProcess.RunAsync([.. command, "--cluster", $"http://127.0.0.1:{FreePort()}"]);
        run.Exits(3).SaysOneFailure().Says("cannot be reached");
    }

    [Theory]
    [InlineData("frobnicate", "frobnicate")]
    [InlineData("--frob", "--frob")]
    [InlineData("--frob", "train", "job.yaml", "--frob")]
    [InlineData("--frob", "doctor", "--frob")]
    [InlineData("Required", "train")]
    [InlineData("Required", "checkpoint", "verify")]
    public async Task Misuse_Exits2AndSaysWhatIsWrong(string word, params string[] arguments)
    {
        var run = (await DtrainProcess.RunAsync(arguments)).Exits(2).Says(word);
        Assert.DoesNotContain("   at ", run.Error, StringComparison.Ordinal);
    }

    private static int FreePort()
    {
        using TcpListener probe = new(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
