using System.Text.RegularExpressions;
using Distributed.EndToEnd.Tests.Cli;
using Distributed.Testing;

namespace Distributed.EndToEnd.Tests.Tools;

/// <summary>What the README and the pages of the documentation show must work as it is written there.</summary>
public sealed partial class ReadMeTests : IDisposable
{
    private const string ReadMe = "README.md";

    private readonly TemporaryDirectory directory = new();

    public static TheoryData<string> Examples =>
        [.. Directory.GetFiles(Path.Combine(Checkout.Root, "examples"), "*.yaml").Select(file => Path.GetFileName(file))
            .Order(StringComparer.Ordinal)];

    public void Dispose() => directory.Dispose();

    [Theory]
    [MemberData(nameof(Examples))]
    public Task Example_IsAJob(string file) => IsAJobAsync(Path.Combine(Checkout.Root, "examples", file));

    [ReadMeFact]
    public async Task Jobs_AreJobs()
    {
        var jobs = Blocks("yaml").Where(block => block.Text.Contains("globalBatch:", StringComparison.Ordinal)).ToList();
        Assert.True(jobs.Exists(job => job.Page == ReadMe), $"{ReadMe} has no ```yaml block that is a job.");
        // The file's name tells which page a refused job is from.
        foreach (var (page, job) in jobs) await IsAJobAsync(directory.Write($"{page.Replace('/', '-')}.yaml", job));
    }

    [ReadMeFact]
    public async Task Commands_AreKnownWithTheirOptions()
    {
        var commands = Blocks("sh").SelectMany(block => block.Text.Replace("\\\n", " ", StringComparison.Ordinal).Split('\n')
            .Select(line => (block.Page, Text: DtrainCall().Match(line).Groups["arguments"].Value)))
            .Where(command => command.Text.Length > 0).Distinct().ToList();
        Assert.True(commands.Exists(command => command.Page == ReadMe), $"{ReadMe} has no ```sh block with a dtrain command.");
        var helps = new Dictionary<string, DtrainResult>();
        foreach (var (page, command) in commands)
        {
            var words = Comment().Replace(command, "").Split(' ', StringSplitOptions.RemoveEmptyEntries);
            var verb = string.Join(
                ' ', words.TakeWhile(word => Word().IsMatch(word)).Take(words[0] is "checkpoint" or "users" or "cluster" ? 2 : 1));
            if (!helps.TryGetValue(verb, out var help)) helps[verb] = help = await DtrainProcess.RunAsync([.. verb.Split(' '), "--help"]);
            Assert.True(help.Code == 0, $"{page}: 'dtrain {command}': there is no {verb}.\n{help}");
            foreach (var option in words.Where(word => word.StartsWith("--", StringComparison.Ordinal)).Select(word => word.Split('=')[0]))
                Assert.True(
                    words[0] == "bench" || Regex.IsMatch(help.Output, $@"(?m)(^|\s){option}(\s|,|$)"),
                    $"{page}: 'dtrain {command}': {verb} has no option {option}.");
        }
    }

    /// <summary>A job that is right but for its ranks is refused for these, before anything is started or looked for.</summary>
    private static async Task IsAJobAsync(string file)
    {
        var refused = (await DtrainProcess.RunAsync("train", file, "--ranks", "999999")).Exits(2).Says("--ranks 999999 is more than");
        Assert.DoesNotContain("the job cannot run", refused.Error, StringComparison.Ordinal);
    }

    /// <summary>The commands of a section of the README, as they are written there.</summary>
    internal static IReadOnlyList<string> CommandsOf(string section)
    {
        var text = File.ReadAllText(Checkout.ReadMe);
        var from = text.IndexOf($"\n### {section}\n", StringComparison.Ordinal);
        Assert.True(from >= 0, $"{Checkout.ReadMe} has no section '{section}'.");
        return [.. Fence().Matches(text[from..]).Where(match => match.Groups["language"].Value == "sh")
            .Select(match => match.Groups["text"].Value)];
    }

    /// <summary>The blocks of the README and of all pages but the decision records, which may show what was once.</summary>
    private static IEnumerable<(string Page, string Text)> Blocks(string language) =>
        Pages().SelectMany(page => Fence().Matches(File.ReadAllText(Path.Combine(Checkout.Root, page)))
            .Where(match => match.Groups["language"].Value == language).Select(match => (page, match.Groups["text"].Value)));

    /// <summary>By their paths in the checkout.</summary>
    private static IEnumerable<string> Pages() =>
        Directory.EnumerateFiles(Path.Combine(Checkout.Root, "docs"), "*.md", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(Checkout.Root, file))
            .Where(page => !page.StartsWith(Path.Combine("docs", "adr"), StringComparison.Ordinal))
            .Order(StringComparer.Ordinal).Prepend(ReadMe);

    [GeneratedRegex(@"(?ms)^```(?<language>\w*)[^\n]*\n(?<text>.*?)^```")]
    private static partial Regex Fence();

    /// <summary>The program by its name, by its path, or run from its project.</summary>
    [GeneratedRegex(@"^(\$ )?(eval ""\$\()?(\S*/)?(dtrain|dotnet run --project src/Client( -c Release)? --) (?<arguments>[a-z].*)$")]
    private static partial Regex DtrainCall();

    [GeneratedRegex(@"\s#.*$|[|>].*$|\)""$")]
    private static partial Regex Comment();

    [GeneratedRegex("^[a-z-]+$")]
    private static partial Regex Word();
}
