using System.Globalization;
using System.Text;
using Distributed.Core.Options;
using Distributed.Core.Spec;
using Distributed.Testing;

namespace Distributed.Core.Tests.Spec;

/// <summary>The reference of the job file shows what the catalog says.</summary>
public sealed class JobReferenceTests
{
    private const string Start = "<!-- catalog -->\n";
    private const string End = "<!-- end of catalog -->";

    /// <summary><c>DTRAIN_WRITE_DOCS=1</c> writes the tables anew.</summary>
    [Fact]
    public void Page_ShowsTheCatalog()
    {
        var page = Path.Combine(Checkout.Root, "docs", "job-file.md");
        var text = File.ReadAllText(page);
        var (start, end) = (text.IndexOf(Start, StringComparison.Ordinal) + Start.Length, text.IndexOf(End, StringComparison.Ordinal));
        Assert.InRange(start, Start.Length, end);
        var catalog = new JobCatalog();
        var tables = $"{Tables("Models", "model", catalog.Models.Descriptors)}{Tables("Data sets", "data", catalog.DataSets.Descriptors)}"
            + $"{Tables("Optimizers", "optimizer", catalog.Optimizers.Descriptors)}"
            + $"{Tables("Schedules", "schedule", catalog.Schedules.Descriptors)}\n";
        if (Environment.GetEnvironmentVariable("DTRAIN_WRITE_DOCS") == "1")
            File.WriteAllText(page, text = text[..start] + tables + text[end..]);
        else Assert.True(tables == text[start..end], "docs/job-file.md differs from the catalog; run this test with DTRAIN_WRITE_DOCS=1.");
    }

    private static string Tables(string title, string section, IReadOnlyList<Descriptor> descriptors)
    {
        var text = new StringBuilder($"\n### {title}\n\n| `{section}.name` | what it is |\n| --- | --- |\n");
        foreach (var descriptor in descriptors)
            text.Append(CultureInfo.InvariantCulture, $"| `{descriptor.Name}` | {descriptor.Summary.TrimEnd('.')} |\n");
        // Keys that mean the same for several names share a line.
        var keys = descriptors.SelectMany(d => d.Set.Options.Select(o => (d.Name, Option: o)))
            .GroupBy(k => (k.Option.Key, k.Option.About, k.Option.Range), k => k).ToList();
        if (keys.Count == 0) return text.ToString();
        text.Append("\n| key | for | meaning | type and range | default |\n| --- | --- | --- | --- | --- |\n");
        foreach (var key in keys)
        {
            var names = key.Count() == descriptors.Count ? "all" : string.Join(", ", key.Select(k => $"`{k.Name}`"));
            var defaults = key.GroupBy(k => Default(k.Option), k => k.Name).ToList();
            var said = defaults.Count == 1
                ? defaults[0].Key
                : string.Join("; ", defaults.Select(d => $"{d.Key} with {string.Join(", ", d.Select(n => $"`{n}`"))}"));
            text.Append(
                CultureInfo.InvariantCulture, $"| `{section}.{key.Key.Key}` | {names} | {key.Key.About} | {key.Key.Range} | {said} |\n");
        }
        return text.ToString();
    }

    private static string Default(Option option) => (option.IsRequired, option.Default) switch
    {
        (true, _) => "required",
        (_, null) => "none",
        (_, bool flag) => flag ? "`true`" : "`false`",
        (_, string word) => $"`{word}`",
        (_, int whole) => whole.ToString("N0", CultureInfo.InvariantCulture),
        (_, double number) => number.ToString(CultureInfo.InvariantCulture).Replace("E-0", "e-", StringComparison.Ordinal),
        var (_, value) => value.ToString()!,
    };
}
