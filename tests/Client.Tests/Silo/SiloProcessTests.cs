using System.Diagnostics;
using Distributed.Client.Outcomes;
using Distributed.Client.Silo;
using Distributed.Testing;

namespace Distributed.Client.Tests.Silo;

/// <summary>Shell scripts in the silo's place: only the two lines, the lifeline and the end matter here.</summary>
public sealed class SiloProcessTests : IDisposable
{
    private const string Ready = """read order; echo '{"ready":true,"address":"http://127.0.0.1:5","pid":1,"fingerprint":"cpu"}'""";
    private static readonly SiloOrder Order = new("secret", 0, "/jobs");
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    private string LogPath => directory.File("silo.log");

    private Task<SiloProcess> StartAsync(string body, double seconds = 60) => SiloProcess.StartAsync(
        directory.Script("silo", body), Order, new SiloLog(LogPath, append: false), TimeSpan.FromSeconds(seconds), TimeProvider.System,
        CancellationToken.None);

    [Fact]
    public async Task Start_ReadyLine_GivesItsAddress()
    {
        await using var silo = await StartAsync($"{Ready}; cat > /dev/null");
        Assert.Equal(new Uri("http://127.0.0.1:5"), silo.Address);
        Assert.Equal("cpu", silo.Reply.Fingerprint);
    }

    [Fact]
    public async Task Start_OrderOnStdin_IsOneJsonLine()
    {
        await using (await StartAsync($"{Ready}; echo \"$order\" >&2; cat > /dev/null"))
        {
        }
        Assert.Equal("{\"token\":\"secret\",\"port\":0,\"jobsRoot\":\"/jobs\"}\n", await File.ReadAllTextAsync(LogPath));
    }

    [Fact]
    public async Task Dispose_ClosesTheLifeline_AndTheSiloLeavesByItself()
    {
        var silo = await StartAsync($"{Ready}; cat > /dev/null; echo left >&2");
        await silo.DisposeAsync();
        Assert.Equal("left\n", await File.ReadAllTextAsync(LogPath));
    }

    [Fact]
    public async Task Start_Refusal_IsToldWithItsCode()
    {
        var failure = await Assert.ThrowsAsync<CommandFailure>(() => StartAsync(
            """read order; echo '{"ready":false,"error":{"code":"port-in-use","message":"Port 5000 is in use."}}'; exit 1"""));
        Assert.Equal(1, failure.ExitCode);
        Assert.Equal("The silo cannot start [port-in-use]: Port 5000 is in use.", failure.Message);
    }

    [Fact]
    public async Task Start_SiloDies_TellsHowAndItsLastWords()
    {
        var failure = await Assert.ThrowsAsync<CommandFailure>(() => StartAsync("echo 'no libtorch here' >&2; exit 7"));
        Assert.Equal(1, failure.ExitCode);
        Assert.Contains("exit code 7", failure.Message, StringComparison.Ordinal);
        Assert.Contains("no libtorch here", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_SiloKeepsSilent_EndsAtTheDeadlineAndLeavesNoProcess()
    {
        var failure = await Assert.ThrowsAsync<CommandFailure>(() => StartAsync("echo $$ >&2; read order; cat > /dev/null", seconds: 0.5));
        Assert.Contains("did not report ready", failure.Message, StringComparison.Ordinal);
        var id = int.Parse(await File.ReadAllTextAsync(LogPath));
        Assert.Throws<ArgumentException>(() => Process.GetProcessById(id));
    }

    [Fact]
    public async Task Start_OtherWords_AreNoReadyLine()
    {
        var failure = await Assert.ThrowsAsync<CommandFailure>(() => StartAsync("echo hello; cat > /dev/null"));
        Assert.Contains("found 'hello'", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ended_ByASignal_IsNamed()
    {
        await using var silo = await StartAsync($"{Ready}; kill -9 $$");
        Assert.True(await silo.HasEndedAsync(TimeSpan.FromMinutes(5)));
        Assert.Contains("SIGKILL", silo.DescribeEnd(), StringComparison.Ordinal);
        Assert.Contains("wrote no log", silo.LastWords(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Environment_OfTheChild_IsTuned()
    {
        await using (await StartAsync($"{Ready}; echo \"$MALLOC_ARENA_MAX $DOTNET_gcServer\" >&2; cat > /dev/null"))
        {
        }
        Assert.Equal("1 0\n", await File.ReadAllTextAsync(LogPath));
    }

    [Fact]
    public void Locate_NamedPublishedBuilt_InThatOrder()
    {
        var built = directory.Write("built", "");
        Assert.Equal(built, Find("dtrain-silo", null, "built"));
        Directory.CreateDirectory(directory.File("silo"));
        var published = directory.Write("silo/dtrain-silo", "");
        Assert.Equal(published, Find("dtrain-silo", null, "built"));
        Assert.Equal(built, Find("dtrain-silo", built, null));
        Assert.Equal(2, Assert.Throws<CommandFailure>(() => Find("dtrain-silo", "/nowhere", "built")).ExitCode);
        // Each program has its own name there, and its own variable.
        Assert.Equal(built, Find("dtrain-bench", null, "built"));
        var missing = Assert.Throws<CommandFailure>(() => Find("dtrain-bench", null, null));
        Assert.Equal(
            (1,
                $"No dtrain-bench executable at '{directory.File("silo/dtrain-bench")}'. "
                + "Build the whole solution, or set A_VARIABLE to the executable."),
            (missing.ExitCode, missing.Message));

        string Find(string program, string? named, string? builtPath) =>
            SiloLocator.Find(program, "A_VARIABLE", directory.Path, builtPath, variable => variable == "A_VARIABLE" ? named : null);
    }
}
