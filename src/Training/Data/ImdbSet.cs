using System.Text.RegularExpressions;
using Distributed.Core.DataSets;
using Distributed.Core.Jobs;
using Distributed.Core.Spec;

namespace Distributed.Training.Data;

/// <summary>The Large Movie Review set: aclImdb/{train,test}/{pos,neg}/ID_RATING.txt, as a folder or as the archive downloaded.</summary>
/// <remarks>
/// Negative reviews come first, each half in ordinal order of its file names, so that no file system decides the order.
/// Ids: 0 padding, 1 unknown word, 2 and up the most frequent words of the training split. Labels are float32, 1 positive.
/// </remarks>
internal static partial class ImdbSet
{

    public const int PaddingId = 0;

    public const int UnknownId = 1;

    private const int FirstWordId = 2;
    private const int LongestReview = 1 << 24;

    private const string FolderName = "aclImdb";

    private static readonly string[] Parts = ["train/neg", "train/pos", "test/neg", "test/pos"];

    public static DataSource Open(string path, JobSpec spec)
    {
        var options = (ImdbOptions)spec.Data.Options;
        var length = options.Length;
        var vocabulary = spec.Model.Options.Contract.Vocabulary;
        var tree = DataTrees.Open(path);
        var root = DataTrees.FindRoot(tree, FolderName, folder => Array.Exists(Parts, part => tree.IsFolder(DataTrees.Join(folder, part))))
            ?? "";
        if (tree is FolderTree) DemandFolders(tree, root);
        var leftOut = new LeftOut();
        var files = Parts.SelectMany(part => ReviewsOf(tree, root, part, leftOut)).ToList();
        foreach (var file in DataTrees.MacFiles(tree).Where(IsText)) leftOut.Add(file);
        foreach (var part in Parts)
        {
            if (!files.Exists(file => file.StartsWith(DataTrees.Join(root, part) + "/", StringComparison.Ordinal)))
                throw DataFile.Invalid(
                    path, $"no reviews in {part}",
                    "expected aclImdb/{train,test}/{pos,neg}/ID_RATING.txt, each with one or more; download it again");
        }

        var corpus = new ReviewCorpus();
        var digest = new DataDigest();
        tree.Read(
            files,
            (file, bytes) => CheckLength(tree.Describe(file), bytes),
            (file, bytes) =>
            {
                var key = file[(root.Length == 0 ? 0 : root.Length + 1)..];
                digest.Add(key, bytes);
                corpus.Add(
                    key, key.StartsWith("train/", StringComparison.Ordinal), key.Contains("/pos/", StringComparison.Ordinal),
                    ReviewText.Decode(bytes, options.Encoding, tree.Describe(file)), length);
            });

        var ids = corpus.Vocabulary(Math.Max(0, vocabulary - FirstWordId), FirstWordId, UnknownId);
        return new DataSource(Split(corpus, true, ids, length), Split(corpus, false, ids, length), Endless: false, Classes: 0)
        {
            Vocabulary = ids.Append(UnknownId).Max() + 1,
            Sha256 = digest.Compute(),
            Warnings = [.. leftOut.Warning(path, "ID_RATING.txt in {train,test}/{pos,neg}")],
        };
    }

    private static void DemandFolders(IDataTree tree, string root)
    {
        foreach (var part in Parts)
        {
            var folder = DataTrees.Join(root, part);
            if (!tree.IsFolder(folder))
                throw new JobException(
                    ErrorCodes.PathMissing,
                    $"{tree.Describe(folder)}: no such folder; expected aclImdb with train and test, each with pos and neg.");
        }
    }

    private static IEnumerable<string> ReviewsOf(IDataTree tree, string root, string part, LeftOut leftOut)
    {
        var folder = DataTrees.Join(root, part);
        foreach (var name in tree.Names(folder))
        {
            if (ReviewName().IsMatch(name)) yield return DataTrees.Join(folder, name);
            else if (IsText(name)) leftOut.Add(DataTrees.Join(part, name));
        }
    }

    private static bool IsText(string file) => file.EndsWith(".txt", StringComparison.OrdinalIgnoreCase);

    private static void CheckLength(string file, long bytes)
    {
        if (bytes > LongestReview) throw DataFile.Invalid(file, $"{bytes} bytes, expected a review of at most {LongestReview}");
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

    [GeneratedRegex(@"^[0-9]+_[0-9]+\.txt\z", RegexOptions.CultureInvariant)]
    private static partial Regex ReviewName();
}
