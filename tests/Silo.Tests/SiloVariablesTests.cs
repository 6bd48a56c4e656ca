using System.Text.RegularExpressions;
using Distributed.Silo.Settings;

namespace Distributed.Silo.Tests;

/// <summary>The variables of a silo are those that it reads, and the documentation shows them.</summary>
public sealed partial class SiloVariablesTests
{
    private const string Start = "<!-- variables -->\n";
    private const string End = "<!-- end of variables -->";

    [Fact]
    public void All_AreThoseThatTheCodeReads()
    {
        var sources = new[] { "Settings", "Security", "Cluster", "Hosting" }.SelectMany(
            room => Directory.EnumerateFiles(Path.Combine(Checkout.Root, "src", "Silo", room), "*.cs", SearchOption.AllDirectories))
            .Where(file => Path.GetFileName(file) != "SiloVariables.cs").Select(File.ReadAllText);
        var read = sources.SelectMany(text => Quoted().Matches(text)).Select(match => match.Groups["name"].Value).ToHashSet();
        var told = SiloVariables.All.Select(v => v.Name).ToHashSet();
        Assert.Empty(read.Except(told));
        // Of the native libraries, read by the trainer.
        Assert.Equal(["DTRAIN_LIBTORCH", "DTRAIN_MALLOC", "DTRAIN_TRACE"], told.Except(read).Order());
    }

    /// <summary><c>DTRAIN_WRITE_DOCS=1</c> writes the table anew.</summary>
    [Fact]
    public void Page_ShowsThem()
    {
        var page = Path.Combine(Checkout.Root, "docs", "cluster.md");
        var text = File.ReadAllText(page);
        var (start, end) = (text.IndexOf(Start, StringComparison.Ordinal) + Start.Length, text.IndexOf(End, StringComparison.Ordinal));
        Assert.InRange(start, Start.Length, end);
        var table = "\n| variable | meaning | default |\n| --- | --- | --- |\n"
            + $"{string.Concat(SiloVariables.All.Select(v => $"| `{v.Name}` | {v.About} | {v.Default} |\n"))}\n";
        if (Environment.GetEnvironmentVariable("DTRAIN_WRITE_DOCS") == "1") File.WriteAllText(page, text[..start] + table + text[end..]);
        else Assert.True(table == text[start..end], "docs/cluster.md differs from SiloVariables; run this test with DTRAIN_WRITE_DOCS=1.");
    }

    [Theory]
    [InlineData("DTRAIN_SLOT", "DTRAIN_SLOT is set, but no silo reads it; did you mean DTRAIN_SLOTS?")]
    [InlineData("dtrain_slots", "dtrain_slots is set, but no silo reads it; did you mean DTRAIN_SLOTS?")]
    [InlineData("DTRAIN_DISK_LIMITS", "did you mean DTRAIN_DISK_LIMIT?")]
    [InlineData("DTRAIN_USER_FILE", "did you mean DTRAIN_USERS_FILE?")]
    public void Mistakes_NearMiss_IsNamed(string name, string message) =>
        Assert.Contains(
            message, Assert.Single(SiloVariables.Mistakes(["PATH", "DTRAIN_SLOTS", name, "DTRAIN_CLUSTER"])), StringComparison.Ordinal);

    [Theory]
    [InlineData("DTRAIN_CLUSTER")]
    [InlineData("DTRAIN_CA_FILE")]
    [InlineData("DTRAIN_SERVICE_HOST")]
    [InlineData("DTRAIN_PORT_5010_TCP")]
    [InlineData("DTRAIN_PORT_5010_TCP_PROTO")]
    [InlineData("MY_DTRAIN_SLOT")]
    public void Mistakes_OtherPrograms_AreLeftAlone(string name) => Assert.Empty(SiloVariables.Mistakes([name]));

    [GeneratedRegex("\"(?<name>DTRAIN_[A-Z_]+)\"")]
    private static partial Regex Quoted();
}
