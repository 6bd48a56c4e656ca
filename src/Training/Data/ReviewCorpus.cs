using System.Runtime.InteropServices;

namespace Distributed.Training.Data;

/// <summary>Collects reviews as word numbers, and counts words, so that no text is kept.</summary>
internal sealed class ReviewCorpus
{
    private const int LongestWord = 64;

    private readonly Dictionary<string, int> numbers = new(StringComparer.Ordinal);
    private readonly List<string> words = [];
    private readonly List<long> trainCounts = [];
    private readonly List<Review> reviews = [];
    private readonly List<int> tokens = [];

    public IReadOnlyList<Review> Reviews => reviews;

    /// <param name="length">Only the last tokens up to this number are kept; all are counted.</param>
    public void Add(string file, bool train, bool positive, ReadOnlySpan<char> text, int length)
    {
        tokens.Clear();
        var lookup = numbers.GetAlternateLookup<ReadOnlySpan<char>>();
        var tokenizer = new ReviewTokenizer(text, stackalloc char[LongestWord]);
        while (tokenizer.MoveNext())
        {
            ref var number = ref CollectionsMarshal.GetValueRefOrAddDefault(lookup, tokenizer.Current, out var known);
            if (!known)
            {
                number = words.Count;
                words.Add(tokenizer.Current.ToString());
                trainCounts.Add(0);
            }

            if (train) trainCounts[number]++;
            tokens.Add(number);
        }

        reviews.Add(new Review(file, train, positive, [.. tokens.Skip(Math.Max(0, tokens.Count - length))]));
    }

    /// <summary>
    /// Model ids by word number: the most frequent words of the training reviews get <paramref name="firstId"/> and up,
    /// ties in ordinal order.
    /// </summary>
    /// <param name="otherId">Id of every other word.</param>
    public int[] Vocabulary(int size, int firstId, int otherId)
    {
        var ids = new int[words.Count];
        Array.Fill(ids, otherId);
        var chosen = Enumerable.Range(0, words.Count)
            .Where(n => trainCounts[n] > 0)
            .OrderByDescending(n => trainCounts[n]).ThenBy(n => words[n], StringComparer.Ordinal)
            .Take(size);
        var next = firstId;
        foreach (var number in chosen) ids[number] = next++;
        return ids;
    }

    internal sealed record Review(string File, bool Train, bool Positive, int[] Words);
}
