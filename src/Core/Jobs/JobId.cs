using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;
using Distributed.Core.Values;

namespace Distributed.Core.Jobs;

/// <summary>The id of a job: unique in a cluster, safe as the name of a folder.</summary>
/// <remarks>Code that has one need not check it again. <c>default</c> is no job's id; its text is empty.</remarks>
[JsonConverter(typeof(JobIdJson))]
public readonly record struct JobId
{
    /// <summary>What an id must be, for "expected ..." in errors.</summary>
    public const string Form = "1 to 64 letters, digits, '.', '_' or '-', the first a letter or digit";

    private const int MostCharacters = 64, MostOfName = 40;

    private readonly string? text;

    private JobId(string text) => this.text = text;

    public override string ToString() => text ?? "";

    /// <returns>False: the text is no id; see <see cref="Form"/>.</returns>
    public static bool TryParse([NotNullWhen(true)] string? text, out JobId id)
    {
        var isId = text is { Length: >= 1 and <= MostCharacters } && char.IsAsciiLetterOrDigit(text[0])
            && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');
        id = isId ? new JobId(text!) : default;
        return isId;
    }

    /// <exception cref="FormatException">The text is no id.</exception>
    public static JobId Parse(string? text) => TryParse(text, out var id) ? id : throw new FormatException($"id: {Misfit(text)}.");

    /// <summary>Those of the texts that are ids.</summary>
    public static IEnumerable<JobId> Of(IEnumerable<string> texts)
    {
        foreach (var text in texts)
            if (TryParse(text, out var id)) yield return id;
    }

    /// <summary>What was found instead of an id, and what was expected; for errors.</summary>
    public static string Misfit(string? text) => $"found '{PlainText.Show(text ?? "")}', expected {Form}";

    /// <summary>A new id that tells of the job's name; no two are alike.</summary>
    public static JobId New(string name)
    {
        var slug = string.Concat(name.ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-')).Trim('-');
        return new($"{(slug.Length == 0 ? "job" : slug[..Math.Min(slug.Length, MostOfName)])}-{Guid.NewGuid().ToString("N")[..8]}");
    }
}
