using System.Text.RegularExpressions;

namespace Distributed.Architecture.Tests;

/// <summary>The documentation: its links lead somewhere, and its pages stay easy to read.</summary>
public sealed partial class DocsTests
{
    private const int MostReadMeLines = 150;
    private const int MostColumns = 100;

    /// <summary>Every page, by its path in the checkout.</summary>
    public static TheoryData<string> Pages => [.. Files];

    /// <summary>Every page but the decision records, which may name files of their time.</summary>
    public static TheoryData<string> PagesOfToday =>
        [.. Files.Where(page => !page.StartsWith(Path.Combine("docs", "adr"), StringComparison.Ordinal))];

    private static IEnumerable<string> Files =>
    [
        "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md",
        .. Directory.EnumerateFiles(Path.Combine(Checkout.Root, "docs"), "*.md", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(Checkout.Root, file)).Order(StringComparer.Ordinal),
    ];

    [Theory]
    [MemberData(nameof(Pages))]
    public void Links_LeadSomewhere(string page)
    {
        var file = Path.Combine(Checkout.Root, page);
        var text = Code().Replace(WithoutFences(file), "");
        foreach (var target in Link().Matches(text).Select(match => match.Groups["target"].Value)
            .Where(target => !target.Contains("://", StringComparison.Ordinal)))
        {
            var why = Broken(file, target);
            Assert.True(why is null, $"{page}: the link to {target} is broken: {why}.");
        }
    }

    /// <summary>Of a path with folders in it, such as <c>Core/Spec/JobSpec.cs</c>; a star stands for part of a name.</summary>
    [Theory]
    [MemberData(nameof(PagesOfToday))]
    public void SourceFiles_Exist(string page)
    {
        var text = File.ReadAllText(Path.Combine(Checkout.Root, page));
        foreach (var path in SourceFile().Matches(text).Select(match => match.Groups["path"].Value))
        {
            var file = Path.Combine(
                Checkout.Root,
                path.StartsWith("src/", StringComparison.Ordinal) || path.StartsWith("tests/", StringComparison.Ordinal)
                || path.StartsWith("bench/", StringComparison.Ordinal) ? "" : "src", path);
            var folder = Path.GetDirectoryName(file)!;
            Assert.True(
                Directory.Exists(folder) && Directory.EnumerateFiles(folder, Path.GetFileName(file)).Any(), $"{page}: there is no {path}.");
        }
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void Lines_AreWrapped(string page)
    {
        var inCode = false;
        foreach (var (i, line) in File.ReadLines(Path.Combine(Checkout.Root, page)).Index())
        {
            if (line.StartsWith("```", StringComparison.Ordinal)) inCode = !inCode;
            else if (!inCode && !line.StartsWith('|') && !OnlyALink().IsMatch(line))
                Assert.True(line.Length <= MostColumns, $"{page}, line {i + 1}: {line.Length} columns, expected at most {MostColumns}.");
        }
    }

    [Fact]
    public void ReadMe_IsShort()
    {
        var lines = File.ReadLines(Path.Combine(Checkout.Root, "README.md")).Count();
        Assert.True(
            lines <= MostReadMeLines,
            $"README.md has {lines} lines, expected at most {MostReadMeLines}; a fact that few readers need belongs into docs.");
    }

    /// <returns>Why a relative link leads nowhere; null when it leads somewhere.</returns>
    private static string? Broken(string file, string target)
    {
        var parts = target.Split('#', 2);
        var place = parts[0].Length == 0 ? file : Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, parts[0]));
        if (!Path.Exists(place)) return $"there is no {Path.GetRelativePath(Checkout.Root, place)}";
        if (parts.Length == 1) return null;
        return Anchors(place).Contains(parts[1]) ? null : $"no heading of {Path.GetRelativePath(Checkout.Root, place)} gives #{parts[1]}";
    }

    /// <summary>The anchors that a page's headings get: lower case, words joined by hyphens, a number when the same comes again.</summary>
    private static HashSet<string> Anchors(string file)
    {
        HashSet<string> anchors = [];
        foreach (var heading in Heading().Matches(WithoutFences(file)).Select(match => match.Groups["text"].Value))
        {
            var anchor = NoAnchor().Replace(heading.Trim().ToLowerInvariant(), "").Replace(' ', '-');
            for (var i = 0; !anchors.Add(i == 0 ? anchor : $"{anchor}-{i}"); i++)
            {
            }
        }

        return anchors;
    }

    private static string WithoutFences(string file) => Fence().Replace(File.ReadAllText(file), "");

    [GeneratedRegex(@"(?ms)^```.*?^```")]
    private static partial Regex Fence();

    [GeneratedRegex("`[^`]*`")]
    private static partial Regex Code();

    [GeneratedRegex(@"\]\((?<target>[^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"(?m)^#{1,6} (?<text>[^\n]+)$")]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NoAnchor();

    [GeneratedRegex(@"`(?<path>(src/|tests/|bench/)?(Core|Training|Grains|Silo|Client|Distributed\.Bench)(\.Tests)?/[\w./*]+\.cs)`")]
    private static partial Regex SourceFile();

    [GeneratedRegex(@"^\s*([-*] )?(!?\[[^\]]*\]\([^)]*\)|<[^>]*>)[.,;:]?$")]
    private static partial Regex OnlyALink();
}
