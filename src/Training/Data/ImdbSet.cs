using System.Text;
using Distributed.Core;
using Distributed.Core.Jobs;

namespace Distributed.Training.Data;

/// <summary>The Large Movie Review set: aclImdb/{train,test}/{pos,neg}/ID_RATING.txt, as a folder or as the archive downloaded.</summary>
/// <remarks>
/// Negative reviews come first, each half in ordinal order of its file names, so that no file system decides the order.
/// Ids: 0 padding, 1 unknown word, 2 and up the most frequent words of the training split. Labels are float32, 1 positive.
/// </remarks>
internal static class ImdbSet
{
    public const int DefaultLength = 200;

    public const int PaddingId = 0;

    public const int UnknownId = 1;

    private const int FirstWordId = 2;
    private const int LongestReview = 1 << 24;

    private static readonly string[] Parts = ["train/neg", "train/pos", "test/neg", "test/pos"];

    public static DataSource Open(string path, JobSpec spec)
    {
        var length = spec.Data.Length ?? DefaultLength;
        var vocabulary = spec.Model.Vocab ?? throw new JobException(ErrorCodes.SpecInvalid, "model.vocab is missing; data set \"imdb\" needs it.");
        var corpus = new ReviewCorpus();
        if (Directory.Exists(path)) ReadFolder(path, corpus, length);
        else ReadArchive(path, corpus, length);
        foreach (var part in Parts)
        {
            if (!corpus.Reviews.Any(r => r.File.StartsWith(part + "/", StringComparison.Ordinal)))
                throw DataFile.Invalid(path, $"no reviews in {part}", "expected aclImdb/{train,test}/{pos,neg}/*.txt, each with one or more; download it again");
        }

        var ids = corpus.Vocabulary(Math.Max(0, vocabulary - FirstWordId), FirstWordId, UnknownId);
        return new DataSource(Split(corpus, true, ids, length), Split(corpus, false, ids, length), Endless: false, Classes: 0);
    }

    private static void ReadFolder(string path, ReviewCorpus corpus, int length)
    {
        var inner = Path.Combine(path, "aclImdb");
        var root = Directory.Exists(inner) ? inner : path;
        foreach (var part in Parts)
        {
            var folder = Path.Combine(root, part);
            if (!Directory.Exists(folder))
                throw new JobException(ErrorCodes.PathMissing, $"{folder}: no such folder; expected aclImdb with train and test, each with pos and neg.");
            foreach (var file in Directory.EnumerateFiles(folder, "*.txt"))
            {
                using var stream = DataFile.OpenRead(file);
                AddReview($"{part}/{Path.GetFileName(file)}", file, stream, stream.Length, corpus, length);
            }
        }
    }

    private static void ReadArchive(string path, ReviewCorpus corpus, int length) =>
        TarArchive.Read(path, (name, stream, bytes) =>
        {
            var parts = name.Split('/');
            if (parts.Length >= 3 && parts[^3] is "train" or "test" && parts[^2] is "pos" or "neg" && parts[^1].EndsWith(".txt", StringComparison.Ordinal))
                AddReview(string.Join('/', parts[^3..]), $"{path}:{name}", stream, bytes, corpus, length);
        });

    /// <param name="key">split/class/file, whatever stands before it.</param>
    private static void AddReview(string key, string file, Stream stream, long bytes, ReviewCorpus corpus, int length)
    {
        if (bytes > LongestReview) throw DataFile.Invalid(file, $"{bytes} bytes, expected a review of at most {LongestReview}");
        var content = new byte[bytes];
        DataFile.ReadExactly(stream, content, file);
        corpus.Add(
            key, key.StartsWith("train/", StringComparison.Ordinal), key.Contains("/pos/", StringComparison.Ordinal),
            Encoding.UTF8.GetString(content), length);
    }

    private static TokenSplit Split(ReviewCorpus corpus, bool train, int[] ids, int length)
    {
        var reviews = corpus.Reviews.Where(r => r.Train == train).OrderBy(r => r.File, StringComparer.Ordinal).ToArray();
        return new TokenSplit(
            [.. reviews.Select(r => Array.ConvertAll(r.Words, w => ids[w]))],
            [.. reviews.Select(r => (byte)(r.Positive ? 1 : 0))],
            length,
            PaddingId);
    }
}
