namespace Distributed.Core.Values;

/// <summary>Finds what a misspelt word was meant to be.</summary>
public static class NearestWord
{
    /// <summary>The closest of the words, upper case and separators aside; null when none is close.</summary>
    public static string? Of(string found, IEnumerable<string> words)
    {
        var plain = Plain(found);
        var best = words.Select(word => (word, distance: Distance(plain, Plain(word)))).OrderBy(x => x.distance).FirstOrDefault();
        return best.word is not null && best.distance <= Math.Max(1, Math.Min(plain.Length, best.word.Length) / 3) ? best.word : null;
    }

    private static string Plain(string word) => string.Concat(word.ToUpperInvariant().Where(c => c is not ('_' or '-' or ' ')).Take(64));

    /// <remarks>Levenshtein's, one row at a time.</remarks>
    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replaced, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[b.Length];
    }
}
