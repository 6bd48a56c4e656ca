using System.Text.Json;
using Distributed.Core.Jobs;

namespace Distributed.Core.Tests.Jobs;

public sealed class JobIdTests
{
    [Fact]
    public void New_AnyName_IsAnIdThatTellsOfIt()
    {
        Assert.All(["Nightly run", "", "../..", new string('x', 4000), "你好"], name =>
        {
            var id = JobId.New(name);
            Assert.True(JobId.TryParse(id.ToString(), out var same), id.ToString());
            Assert.Equal(id, same);
        });
        Assert.StartsWith("nightly-run-", JobId.New("Nightly run").ToString(), StringComparison.Ordinal);
        Assert.NotEqual(JobId.New("a"), JobId.New("a"));
    }

    [Theory]
    [InlineData("a")]
    [InlineData("7")]
    [InlineData("Nightly-7_of.2")]
    [InlineData("0123456789012345678901234567890123456789012345678901234567890123")]
    public void Parse_Id_KeepsItsText(string text) => Assert.Equal(text, JobId.Parse(text).ToString());

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("-a")]
    [InlineData(".a")]
    [InlineData("a b")]
    [InlineData("a/b")]
    [InlineData("a\n")]
    [InlineData("é")]
    [InlineData("01234567890123456789012345678901234567890123456789012345678901234")]
    public void Parse_NoId_SaysWhatWasFoundAndExpected(string? text)
    {
        Assert.False(JobId.TryParse(text, out var none));
        Assert.Equal(default, none);
        var error = Assert.Throws<FormatException>(() => JobId.Parse(text));
        Assert.StartsWith("id: found '", error.Message, StringComparison.Ordinal);
        Assert.EndsWith($"', expected {JobId.Form}.", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void Default_IsNoJobs_AndHasAnEmptyText()
    {
        Assert.Equal("", default(JobId).ToString());
        Assert.NotEqual(default, JobId.Parse("a"));
        Assert.Equal(0, new Dictionary<JobId, int> { [default] = 0 }[default]);
    }

    [Fact]
    public void Json_IsTheText()
    {
        Assert.Equal("""{"Job":"nightly-7","Last":null}""", JsonSerializer.Serialize(new Note(JobId.Parse("nightly-7"), null)));
        Assert.Equal(new Note(JobId.Parse("a"), JobId.Parse("b")), JsonSerializer.Deserialize<Note>("""{"Job":"a","Last":"b"}"""));
        var error = Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<Note>("""{"Job":"../.."}"""));
        Assert.Contains("found '../..', expected 1 to 64", error.Message, StringComparison.Ordinal);
    }

    private sealed record Note(JobId Job, JobId? Last);
}
