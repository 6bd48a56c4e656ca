using Distributed.Testing;

namespace Distributed.Client.Tests.Commands;

public sealed class UsageTests
{
    [Theory]
    [InlineData("train")]
    [InlineData("plan")]
    [InlineData("submit")]
    [InlineData("list")]
    [InlineData("status")]
    [InlineData("watch")]
    [InlineData("logs")]
    [InlineData("stop")]
    [InlineData("resume")]
    [InlineData("scale")]
    [InlineData("delete")]
    [InlineData("why")]
    [InlineData("cluster")]
    [InlineData("users")]
    [InlineData("scale-trace")]
    [InlineData("bench")]
    [InlineData("doctor")]
    [InlineData("certs")]
    [InlineData("checkpoint")]
    public async Task Help_EveryVerb_EndsWithExamples(string verb)
    {
        var (code, output, _) = await Dtrain.RunAsync(verb, "--help");
        Assert.Equal(0, code);
        Assert.Contains($"Examples:\n  dtrain {verb}", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Version_Asked_IsPrinted()
    {
        var (code, output, _) = await Dtrain.RunAsync("--version");
        Assert.Equal(0, code);
        Assert.Matches(@"^\d+\.\d+\.\d+", output);
    }

    [Theory]
    [InlineData("Required command")]
    [InlineData("frobnicate", "frobnicate")]
    [InlineData("Required argument", "train")]
    [InlineData("--ranks: found '0', expected a whole number of 1 or more", "train", "job.yaml", "--ranks", "0")]
    [InlineData("--ranks: found 'two', expected a whole number of 1 or more", "train", "job.yaml", "--ranks", "two")]
    [InlineData("--stop-at: found '0'", "train", "job.yaml", "--stop-at", "0")]
    [InlineData("--port: found '70000', expected a whole number from 0 to 65535", "train", "job.yaml", "--port", "70000")]
    [InlineData("--frob", "train", "job.yaml", "--frob")]
    [InlineData("--silos: found '0', expected a whole number of 1 or more", "train", "job.yaml", "--silos", "0")]
    [InlineData("not an http or https URL", "list", "--cluster", "nonsense")]
    [InlineData("The cluster address 'nonsense' is no", "list", "--cluster", "http://127.0.0.1:1,nonsense")]
    [InlineData("No cluster named", "list", "--cluster", ",")]
    [InlineData("--workers: found '0', expected a whole number of 1 or more", "scale", "nightly", "--workers", "0")]
    [InlineData("'--workers' is required", "scale", "nightly")]
    [InlineData("--priority: found '1001', expected a whole number from -1000 to 1000", "submit", "job.yaml", "--priority", "1001")]
    [InlineData("ID: found 'a b', expected 1 to 64 letters", "status", "a b", "--cluster", "http://127.0.0.1:1")]
    [InlineData("ID: found '', expected 1 to 64 letters", "delete", "", "--cluster", "http://127.0.0.1:1")]
    [InlineData("--id: found '../..', expected 1 to 64 letters", "submit", "job.yaml", "--id", "../..")]
    [InlineData("--id: found an empty id", "submit", "job.yaml", "--id", "")]
    [InlineData("cannot be read", "list", "--cluster", "http://127.0.0.1:1", "--token-file", "/nowhere/token")]
    [InlineData("The token file '/' is a folder", "list", "--cluster", "http://127.0.0.1:1", "--token-file", "/")]
    [InlineData("The file of authorities '/' is a folder", "list", "--cluster", "https://127.0.0.1:1", "--ca", "/")]
    [InlineData("is a folder, expected a file of users", "users", "list", "/")]
    [InlineData("expected a file name that ends with .png", "bench", "step", "--plot", "a.jpg")]
    [InlineData("the folder of '/nowhere/a.png' does not exist", "bench", "step", "--plot", "/nowhere/a.png")]
    [InlineData("'frob' not recognized", "bench", "frob")]
    public async Task Misuse_Exits2AndSaysWhatIsWrong(string message, params string[] args)
    {
        var (code, output, error) = await Dtrain.RunAsync(args);
        Assert.Equal(2, code);
        Assert.Empty(output);
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("submit")]
    [InlineData("logs")]
    [InlineData("scale")]
    public async Task Help_VerbsOfACluster_SayTheExitCodes(string verb)
    {
        var (_, output, _) = await Dtrain.RunAsync(verb, "--help");
        Assert.Contains("Exit codes:\n  0 done; 1 ", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("first line\nsecond line")]
    [InlineData("not ascii: \u00e9")]
    public async Task List_TokenFileWithoutToken_Exits2AndQuotesNothing(string content)
    {
        using TemporaryDirectory directory = new();
        var (code, _, error) = await Dtrain.RunAsync(
            "list", "--cluster", "http://127.0.0.1:1", "--token-file", directory.Write("token", content));
        Assert.Equal(2, code);
        Assert.Contains("holds no token", error, StringComparison.Ordinal);
        Assert.DoesNotContain("line\n", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task List_NothingListensAtAnyAddress_Exits3()
    {
        var (code, _, error) = await Dtrain.RunAsync("list", "--cluster", "http://127.0.0.1:1, http://127.0.0.1:2");
        Assert.Equal(3, code);
        Assert.Contains("cannot be reached", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task List_NothingListens_Exits3()
    {
        var (code, _, error) = await Dtrain.RunAsync("list", "--cluster", "http://127.0.0.1:1");
        Assert.Equal(3, code);
        Assert.Contains("refused", error, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task List_TokenOverPlainHttpToAnotherMachine_IsRefused()
    {
        using TemporaryDirectory directory = new();
        var (code, _, error) = await Dtrain.RunAsync(
            "list", "--cluster", "http://192.0.2.1:80", "--token-file", directory.Write("token", "secret"));
        Assert.Equal(2, code);
        Assert.Contains("unencrypted", error, StringComparison.Ordinal);
    }
}
