using System.Diagnostics;

namespace Distributed.Grains.Tests.Servers;

/// <summary>A Redis of one test class's own, on loopback, with a password.</summary>
internal sealed class RedisServer : IDisposable
{
    public const string Password = "redis-secret-of-this-test";

    private readonly Process process;

    private RedisServer(Process process, int port) => (this.process, Port) = (process, port);

    public int Port { get; }

    public string Store => $"127.0.0.1:{Port},password={Password}";

    public static async Task<RedisServer> StartAsync()
    {
        var port = FreePort.Take();
        var process = Process.Start(new ProcessStartInfo(
            InstalledProgram.Redis!, ["--bind", "127.0.0.1", "--port", $"{port}", "--save", "", "--requirepass", Password, "--loglevel", "warning"])
        { RedirectStandardOutput = true })!;
        await FreePort.AnswersAsync(port);
        return new RedisServer(process, port);
    }

    public void Dispose()
    {
        process.Kill();
        process.WaitForExit();
        process.Dispose();
    }
}
