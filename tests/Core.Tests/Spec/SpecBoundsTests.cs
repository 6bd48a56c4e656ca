using Distributed.Core.Documents;
using Distributed.Core.Spec;
using Distributed.Core.Users;
using Distributed.Core.Values;

namespace Distributed.Core.Tests.Spec;

/// <summary>Whatever a text says, what is made of it is no larger than the text: few errors, each of a few hundred characters.</summary>
public sealed class SpecBoundsTests
{
    private const int Mebibyte = 1 << 20;
    private const int LongestErrors = 64 << 10;

    public static TheoryData<string> Kinds => [.. Texts.Keys];

    private static readonly Dictionary<string, Func<string>> Texts = new()
    {
        ["one long key over many"] = () => $"{{\"{new string('k', 150_000)}\":{{{Repeat("\"a\":1", 1500)}}}}}",
        ["many unknown keys"] = () => $"{{{string.Join(',', Enumerable.Range(0, 90_000).Select(i => $"\"k{i}\":1"))}}}",
        ["many keys twice"] = () => $"{{{Repeat("\"a\":1", 170_000)}}}",
        ["many keys twice, deep inside"] = () =>
            $"{string.Concat(Enumerable.Repeat($"{{\"{new string('d', 64)}\":", 18))}{{{Repeat("\"a\":1", 170_000)}}}{new string('}', 18)}",
        ["a list of wrong numbers"] = () => $"{{\"model\":{{\"name\":\"mlp\",\"sizes\":[{Repeat("\"x\"", 200_000)}]}}}}",
        ["a list of halves of decimals"] = () => $"{{\"optimizer\":{{\"betas\":[{Repeat("0,9", 200_000)}]}}}}",
        ["a long number"] = () => $"{{\"globalBatch\":{new string('7', Mebibyte)}}}",
        ["a long word"] = () => $"{{\"precision\":\"{new string('w', Mebibyte)}\"}}",
        ["patterns without end"] = () => $"{{\"optimizer\":{{\"noDecay\":[{Repeat("\"*\"", 200_000)}]}}}}",
        ["open brackets"] = () => new string('[', Mebibyte),
        ["broken at the end"] = () => $"{{{Repeat("\"a\":1", 170_000)}",
        ["one line behind another"] = () => $"{{{new string('\n', Mebibyte)}",
        ["keys that are none, deep inside"] = () =>
            string.Concat(Enumerable.Repeat($"{{\"{new string('\u0080', 64)}\":", 18))
            + $"{{{Repeat("\"\u0080\":1", 110_000)}}}{new string('}', 18)}",
        ["halves of characters"] = () => $"{{\"a\":[{Repeat("\"\\ud800\"", 110_000)}]}}",
        ["users without end"] = () => $"{{\"users\":[{Repeat("1", 100_000)}]}}",
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Read_MebibyteOfAKind_GivesFewShortErrors(string kind)
    {
        var text = Texts[kind]();
        var before = GC.GetAllocatedBytesForCurrentThread();
        foreach (var errors in (IReadOnlyList<SpecError>[])[JobSpecJson.Read(text).Errors, UsersFile.Read(text).Errors])
        {
            Assert.InRange(errors.Count, 1, SpecBounds.MostErrors + 1);
            Assert.InRange(errors.Sum(error => error.Format("job.json").Length), 1, LongestErrors);
        }

        // Twice a few hundred bytes of nodes for each byte of text.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 500L << 20);
    }

    [Fact]
    public void Read_MoreErrorsThanAreShown_SaysHowManyMore()
    {
        var errors = JobSpecJson.Read($"{{{string.Join(',', Enumerable.Range(0, 100).Select(i => $"\"k{i}\":1"))}}}").Errors;
        Assert.Equal(SpecBounds.MostErrors + 1, errors.Count);
        // 100 unknown keys and six that are missing.
        Assert.Equal("job.json: 74 more errors are not shown", errors[^1].Format("job.json"));
    }

    [Theory]
    [InlineData("{\"name\":\"\\ud800\"}", 1, 9, "half of a character")]
    [InlineData("{\n \"\\udc00\":1}", 2, 2, "half of a character")]
    [InlineData("{\"a\\u202eb\":1}", 1, 2, "found the key 'a\\u202eb'")]
    [InlineData("{\"a\\u0000\":1}", 1, 2, "found the key 'a\\u0000'")]
    [InlineData("{\"a\\u200fb\":1}", 1, 2, "found the key 'a\\u200fb'")]
    public void Read_TextThatIsNone_IsNamedWithItsPlace(string json, int line, int column, string message)
    {
        var errors = JobSpecJson.Read(json).Errors;
        Assert.Contains(errors, e => (e.Line, e.Column) == (line, column) && e.Message.Contains(message, StringComparison.Ordinal));
        Assert.All(errors, e => Assert.True(PlainText.IsPlain(e.Format("f")), e.Format("f")));
    }

    [Theory]
    [InlineData("name", "\u202E")]
    [InlineData("name", "\u0000")]
    [InlineData("optimizer.noDecay", "[\u2066]")]
    [InlineData("model.weights", "\u200E")]
    public void Read_ControlCharacters_AreRefusedAndShownHarmless(string key, string value)
    {
        var root = SpecOverrides.Apply(JsonSpecNodes.Parse("{}").Root!, $"{key}={value}").Root!;
        var error = Assert.Single(JobSpecReader.Read(root).Errors, e => e.Path.StartsWith(key, StringComparison.Ordinal));
        Assert.Contains("none of them a control character", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Apply_PathWithoutEnd_IsRefused()
    {
        var root = JsonSpecNodes.Parse("{}").Root!;
        var deep = Assert.Single(SpecOverrides.Apply(root, $"{string.Concat(Enumerable.Repeat("a.", 100_000))}a=1").Errors);
        Assert.Equal("found a path of 100001 keys, expected at most 20", deep.Message);
        Assert.InRange(deep.Format("f").Length, 1, 400);
        Assert.Contains(
            "found a key of 65 characters", Assert.Single(SpecOverrides.Apply(root, $"{new string('k', 65)}=1").Errors).Message,
            StringComparison.Ordinal);
    }

    private static string Repeat(string element, int count) => string.Join(',', Enumerable.Repeat(element, count));
}
