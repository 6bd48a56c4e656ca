using System.Text.Json;

namespace Distributed.EndToEnd.Tests.Cli;

/// <summary>A finished command: all that its user saw.</summary>
internal sealed record DtrainResult(string Command, int Code, string Output, string Error)
{
    public IReadOnlyList<string> Lines => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Every line of stdout as the JSON object that it must be.</summary>
    public IReadOnlyList<JsonElement> Events => [.. Lines.Select(line => JsonDocument.Parse(line).RootElement)];

    /// <summary>The hash of the event that ends the run.</summary>
    public string Hash => Events[^1].GetProperty("weightsSha256").GetString()!;

    /// <summary>Holds the exit code and hands on the result.</summary>
    public DtrainResult Exits(int code)
    {
        Assert.True(Code == code, $"Exit code {Code}, expected {code}.\n{this}");
        return this;
    }

    /// <summary>Holds words of stderr and hands on the result.</summary>
    public DtrainResult Says(params IEnumerable<string> words)
    {
        foreach (var word in words) Assert.True(Error.Contains(word, StringComparison.Ordinal), $"stderr lacks \"{word}\".\n{this}");
        return this;
    }

    /// <summary>Holds that stderr has exactly one message of failure and no stack trace.</summary>
    public DtrainResult SaysOneFailure()
    {
        var messages = Error.Split('\n').Count(line => line.StartsWith("dtrain: ", StringComparison.Ordinal));
        Assert.True(messages == 1, $"{messages} messages of failure on stderr, expected 1.\n{this}");
        Assert.False(Error.Contains("   at ", StringComparison.Ordinal), $"A stack trace on stderr.\n{this}");
        return this;
    }

    public override string ToString() => $"{Command}\nexit code: {Code}\nstdout:\n{Tail(Output)}\nstderr:\n{Tail(Error)}";

    private static string Tail(string text) => text.Length <= 6000 ? text : "..." + text[^6000..];
}
