using System.Diagnostics;

namespace Distributed.Testing.Servers;

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
            InstalledProgram.Redis!,
            ["--bind", "127.0.0.1", "--port", $"{port}", "--save", "", "--requirepass", Password, "--loglevel", "warning"])
        { RedirectStandardOutput = true })!;
        await FreePort.AnswersAsync(port);
        return new RedisServer(process, port);
    }

    /// <summary>Forgets everything.</summary>
    public async Task EmptyAsync()
    {
        using var client = new System.Net.Sockets.TcpClient();
        await client.ConnectAsync(System.Net.IPAddress.Loopback, Port);
        await using var stream = client.GetStream();
        await stream.WriteAsync(System.Text.Encoding.ASCII.GetBytes($"AUTH {Password}\r\nFLUSHALL\r\nQUIT\r\n"));
        using var answers = new StreamReader(stream);
        if (await answers.ReadToEndAsync() is var said && said.Contains('-')) throw new InvalidOperationException($"Redis: {said}");
    }

    public void Dispose()
    {
        process.Kill();
        process.WaitForExit();
        process.Dispose();
    }
}
