using Distributed.Client.Rendering;

namespace Distributed.Client.Tests.Rendering;

public sealed class TextTableTests
{
    private static readonly string LongName = new('n', 4000);

    [Theory]
    [InlineData(null, 64)]
    [InlineData(200, 64)]
    [InlineData(60, 60 - 2 - 2 - 2 - 4)]
    [InlineData(10, 8)]
    public void Write_LongName_IsCutToTheWidth(int? width, int cells)
    {
        var lines = Lines(width, [["id", LongName, "words that may run on past the end of the terminal, whatever its width is"]]);
        Assert.Equal($"id  {new string('n', cells - 1)}…  words", lines[1][..(2 + 2 + cells + 2 + 5)]);
        Assert.EndsWith("whatever its width is", lines[1], StringComparison.Ordinal);
    }

    [Fact]
    public void Write_ShortName_StaysWhole() => Assert.Equal("id  name  x", Lines(20, [["id", "name", "x"]])[1]);

    private static string[] Lines(int? width, string[][] rows)
    {
        using StringWriter output = new();
        TextTable.Write(output, ["ID", "NAME", "WORD"], rows, cut: 1, width);
        return output.ToString().Split('\n');
    }
}
