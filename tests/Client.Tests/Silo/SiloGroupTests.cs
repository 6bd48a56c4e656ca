using System.Diagnostics;
using Distributed.Client.Outcomes;
using Distributed.Client.Silo;
using Distributed.Testing;

namespace Distributed.Client.Tests.Silo;

/// <summary>Shell scripts in the silos' place: each notes its process and its order in its log.</summary>
public sealed class SiloGroupTests : IDisposable
{
    private const string Begin = """echo $$ >&2; read order; echo "$order" >&2""";
    private const string Ready = """echo '{"ready":true,"address":"http://127.0.0.1:5","pid":1,"endpoint":"127.0.0.1:40123"}'""";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    private Task<SiloGroup> StartAsync(string body, int silos = 3, CancellationToken cancel = default) => SiloGroup.StartAsync(
        directory.Script("silo", body),
        [.. Enumerable.Range(0, silos).Select(i => new SiloOrder("secret", 0, "/jobs") { Silo = $"silo-{i}", Slots = 1 })],
        order => new SiloLog(Log(order.Silo!), append: false), Patience, TimeProvider.System, cancel);

    private string Log(string silo) => directory.File($"{silo}.log");

    private void AssertGone(string silo)
    {
        if (!File.Exists(Log(silo)) || File.ReadAllLines(Log(silo)) is not [var id, ..]) return;
        Assert.Throws<ArgumentException>(() => Process.GetProcessById(int.Parse(id)));
    }

    [Fact]
    public async Task Start_TheOthersJoinTheFirst_EachWithItsNameAndLog()
    {
        await using (var group = await StartAsync($"{Begin}; {Ready}; cat > /dev/null")) Assert.Equal("silo-0", group.First.Name);
        Assert.EndsWith(
            """{"token":"secret","port":0,"jobsRoot":"/jobs","silo":"silo-0","slots":1}""",
            (await File.ReadAllTextAsync(Log("silo-0"))).Trim(), StringComparison.Ordinal);
        foreach (var silo in new[] { "silo-1", "silo-2" })
        {
            var order = (await File.ReadAllTextAsync(Log(silo))).Trim();
            Assert.EndsWith(
                $$"""{"token":"secret","port":0,"jobsRoot":"/jobs","silo":"{{silo}}","primary":"127.0.0.1:40123","slots":1}""", order,
                StringComparison.Ordinal);
            AssertGone(silo);
        }
    }

    [Fact]
    public async Task Start_OneRefuses_ItsReasonIsToldAndNoneIsLeft()
    {
        const string Refusal = """{"ready":false,"error":{"code":"native","message":"No libtorch."}}""";
        var failure = await Assert.ThrowsAsync<CommandFailure>(() => StartAsync(
            $"""
            {Begin}
            case "$order" in
              *silo-2*) echo '{Refusal}'; exit 1 ;;
              *silo-1*) ;;
              *) {Ready} ;;
            esac
            cat > /dev/null
            """));
        Assert.Equal("The silo silo-2 cannot start [native]: No libtorch.", failure.Message);
        foreach (var silo in new[] { "silo-0", "silo-1", "silo-2" }) AssertGone(silo);
    }

    [Fact]
    public async Task Start_Cancelled_LeavesNone()
    {
        using CancellationTokenSource cancel = new();
        var starting = StartAsync($$"""{{Begin}}; case "$order" in *silo-0*) {{Ready}};; esac; cat > /dev/null""", cancel: cancel.Token);
        while (!File.Exists(Log("silo-1"))) await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => starting);
        foreach (var silo in new[] { "silo-0", "silo-1", "silo-2" }) AssertGone(silo);
    }

    [Fact]
    public async Task OneIsLost_CompletesWhenAnotherThanTheFirstEnds_AndNamesIt()
    {
        await using var group = await StartAsync(
            $$"""{{Begin}}; {{Ready}}; case "$order" in *silo-2*) kill -9 $$;; esac; cat > /dev/null""");
        await group.OneIsLostAsync(CancellationToken.None).WaitAsync(Patience);
        Assert.Equal("silo-2", group.Lost!.Name);
        Assert.StartsWith("The silo process silo-2 ended with signal SIGKILL", group.Lost.DescribeEnd(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task OneIsLost_OnlyOneSilo_NeverCompletes()
    {
        await using var group = await StartAsync($"{Begin}; {Ready}; cat > /dev/null", silos: 1);
        using CancellationTokenSource cancel = new();
        var lost = group.OneIsLostAsync(cancel.Token);
        Assert.False(lost.IsCompleted);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => lost);
        Assert.Null(group.Lost);
    }

    [Fact]
    public async Task Dispose_FrozenSilo_IsKilled()
    {
        var group = await StartAsync($$"""{{Begin}}; {{Ready}}; case "$order" in *silo-1*) kill -STOP $$;; esac; cat > /dev/null""");
        await group.DisposeAsync();
        foreach (var silo in new[] { "silo-0", "silo-1", "silo-2" }) AssertGone(silo);
    }
}
