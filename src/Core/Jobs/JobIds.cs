namespace Distributed.Core.Jobs;

/// <summary>Ids of jobs: unique in a cluster, safe as the name of a folder.</summary>
public static class JobIds
{
    /// <summary>What an id must be, for "expected ..." in errors.</summary>
    public const string Form = "1 to 64 letters, digits, '.', '_' or '-', the first a letter or digit";

    private const int MostCharacters = 64, MostOfName = 40;

    public static bool IsValid(string id) =>
        id.Length is >= 1 and <= MostCharacters && char.IsAsciiLetterOrDigit(id[0]) && id.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');

    /// <summary>A new id that tells of the job's name; no two are alike.</summary>
    public static string New(string name)
    {
        var slug = string.Concat(name.ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-')).Trim('-');
        return $"{(slug.Length == 0 ? "job" : slug[..Math.Min(slug.Length, MostOfName)])}-{Guid.NewGuid().ToString("N")[..8]}";
    }
}
