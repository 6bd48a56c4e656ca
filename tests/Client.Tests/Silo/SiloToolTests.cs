using Distributed.Client.Silo;
using Distributed.Testing;

namespace Distributed.Client.Tests.Silo;

public sealed class SiloToolTests
{
    [Fact]
    public async Task Run_HandsOnLinesWordsAndExitCode()
    {
        using TemporaryDirectory directory = new();
        using StringWriter error = new();
        List<string> lines = [];
        var code = await SiloTool.RunAsync(
            directory.Script("silo", "echo \"$@\"; echo second; echo talk >&2; exit 3"), ["bench", "step"], lines.Add, error,
            TimeProvider.System);
        Assert.Equal(3, code);
        Assert.Equal(["bench step --lifeline", "second"], lines);
        Assert.Equal("talk\n", error.ToString());
    }
}
