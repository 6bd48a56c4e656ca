using Distributed.Silo.Lifecycle;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Distributed.Silo.Tests.Serve;

public sealed class HostEndTests : IDisposable
{
    private readonly StringWriter error = new();

    public void Dispose() => error.Dispose();

    [Fact]
    public async Task Await_PartThatThrew_IsAFailureThatNamesIt()
    {
        using var host = await Start(services => services.AddHostedService<Broken>());
        Assert.Equal(1, await HostEnd.Await(new TaskCompletionSource().Task, host.Services, error));
        Assert.StartsWith(
            "dtrain-silo: Broken failed: InvalidOperationException: no clock here. The silo ends.", error.ToString(),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Await_StoppedWithoutAWord_IsAFailure()
    {
        using var host = await Start(_ => { });
        host.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
        Assert.Equal(1, await HostEnd.Await(new TaskCompletionSource().Task, host.Services, error));
        Assert.Contains("no part of it says why", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Await_ToldToLeave_IsNone()
    {
        using var host = await Start(_ => { });
        using CancellationTokenSource leave = new();
        var ending = HostEnd.Await(HostEnd.When(leave.Token), host.Services, error);
        await leave.CancelAsync();
        Assert.Equal(0, await ending);
        Assert.Equal("", error.ToString());
    }

    private static async Task<IHost> Start(Action<IServiceCollection> add)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        add(builder.Services);
        var host = builder.Build();
        await host.StartAsync();
        return host;
    }

    private sealed class Broken : BackgroundService
    {
        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            await Task.Yield();
            throw new InvalidOperationException("no clock here.");
        }
    }
}
