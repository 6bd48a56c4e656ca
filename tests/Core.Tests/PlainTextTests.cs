using Distributed.Core.Documents;
using Distributed.Core.Machine;
using Distributed.Core.Spec;
using Distributed.Core.Values;

namespace Distributed.Core.Tests;

public sealed class PlainTextTests
{
    [Theory]
    [InlineData("nightly 7 – größer 你好", "nightly 7 – größer 你好")]
    [InlineData("a\u001b[2Jb", @"a\u001b[2Jb")]
    [InlineData("a\nb\r", @"a\u000ab\u000d")]
    [InlineData("a\u202Eb\u2028\u2067\u009b", @"a\u202eb\u2028\u2067\u009b")]
    public void Show_Controls_AreEscapedAndTheRestIsNot(string text, string shown) => Assert.Equal(shown, PlainText.Show(text));

    [Fact]
    public void Show_Long_IsCut() => Assert.Equal(new string('x', 57) + "...", PlainText.Show(new string('x', 61)));

    [Theory]
    [InlineData(
        "a\u001b[31m", @"name: found the text 'a\u001b[31m', expected a text of 1 to 200 characters, none of them a control character")]
    [InlineData("a\u202Eb", @"name: found the text 'a\u202eb', expected a text of 1 to 200 characters, none of them a control character")]
    public void Read_NameWithControls_IsRefusedAtItsKeyAndShownEscaped(string name, string error)
    {
        var json = $$"""
            {
              "name": {{System.Text.Json.JsonSerializer.Serialize(name)}},
              "model": { "name": "mlp", "sizes": [3072, 10] },
              "data": { "name": "shapes" },
              "globalBatch": 8, "microBatch": 8, "steps": 1
            }
            """;
        var read = JobSpecReader.Read(JsonSpecNodes.Parse(json).Root!);
        Assert.Contains(error, string.Join('\n', read.Errors), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(512L, 511L, "511 files may be open at once here, and dtrain-silo needs 512: ")]
    [InlineData(512L, 512L, null)]
    [InlineData(512L, null, null)]
    public void OpenFiles_TooFew_AreRefusedWithBothNumbers(long least, long? allowed, string? words)
    {
        var refusal = OpenFiles.Refuse("dtrain-silo", least, allowed);
        if (words is null) Assert.Null(refusal);
        else Assert.StartsWith(words, refusal, StringComparison.Ordinal);
    }
}
