using CsCheck;
using Distributed.Core.Values;

namespace Distributed.Core.Tests.Spec;

public sealed class DurationTextTests
{
    [Theory]
    [InlineData("1s", 1)]
    [InlineData("90s", 90)]
    [InlineData("30m", 1800)]
    [InlineData("2h", 7200)]
    [InlineData("365d", 365 * 86_400)]
    public void Parse_NumberAndUnit_IsThatLong(string text, int seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), DurationText.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("s")]
    [InlineData("7")]
    [InlineData("0s")]
    [InlineData("-1s")]
    [InlineData("1.5h")]
    [InlineData("1h30m")]
    [InlineData("2 h")]
    [InlineData("2H")]
    [InlineData("2w")]
    [InlineData("366d")]
    [InlineData("9223372036854775807d")]
    [InlineData("99999999999999999999s")]
    public void Parse_AnythingElse_IsNone(string text) => Assert.Null(DurationText.Parse(text));

    [Fact]
    public void Write_ThenParse_GivesTheDurationBack() => Gen.Int[1, 10_000_000].Sample(seconds =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), DurationText.Parse(DurationText.Write(TimeSpan.FromSeconds(seconds)))));

    [Theory]
    [InlineData(0, "0s")]
    [InlineData(0.4, "0s")]
    [InlineData(59.9, "59s")]
    [InlineData(60, "1m")]
    [InlineData(4800, "1h 20m")]
    [InlineData(7201, "2h")]
    [InlineData(90_000, "1d 1h")]
    public void Describe_ForPeople_HasTwoUnitsAtMost(double seconds, string words) =>
        Assert.Equal(words, DurationText.Describe(TimeSpan.FromSeconds(seconds)));
}
