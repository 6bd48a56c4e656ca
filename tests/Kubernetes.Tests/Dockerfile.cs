using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Distributed.Kubernetes.Tests;

/// <summary>The image's recipe, line by line.</summary>
internal static partial class Dockerfile
{
    /// <summary>Instructions with their arguments; continued lines are joined, comments left out.</summary>
    public static IReadOnlyList<(string Instruction, string Arguments)> Steps { get; } =
    [
        .. Checkout.Read("Dockerfile").Replace("\\\n", " ", StringComparison.Ordinal).Split('\n')
            .Where(line => line.Length > 0 && !line.StartsWith('#'))
            .Select(line => line.Split(' ', 2))
            .Select(parts => (parts[0], Spaces().Replace(parts[1], " ").Trim())),
    ];

    /// <summary>The steps of the stage that builds, and those of the image.</summary>
    public static IReadOnlyList<(string Instruction, string Arguments)> Build { get; } =
        [.. Steps.SkipWhile(step => step.Instruction != "FROM").Skip(1).TakeWhile(step => step.Instruction != "FROM")];

    public static IReadOnlyList<(string Instruction, string Arguments)> Image { get; } =
        [.. Steps.Skip(Steps.ToList().FindLastIndex(step => step.Instruction == "FROM"))];

    /// <summary>What the build takes from the checkout: paths, and the folder they go to.</summary>
    public static IEnumerable<(IReadOnlyList<string> From, string To)> Copies =>
        Build.Where(step => step.Instruction == "COPY").Select(step => step.Arguments.Split(' '))
            .Select(words => ((IReadOnlyList<string>)words[..^1], words[^1]));

    public static string ProductVersion { get; } =
        XDocument.Parse(Checkout.Read("Directory.Build.props")).Descendants("Version").Single().Value;

    [GeneratedRegex(" +")]
    private static partial Regex Spaces();
}
