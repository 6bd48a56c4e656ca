using System.Text.RegularExpressions;
using Distributed.Core.Jobs;
using Distributed.Core.Spec;

namespace Distributed.Training.Data;

/// <summary>MNIST, or a set in its form: four idx files, gzipped as downloaded or plain, in one folder.</summary>
internal static partial class MnistSet
{
    public const int Classes = 10;

    private const int Side = 28;

    private static readonly (string Split, string Content, int Dimensions)[] Contents =
        [("train", "images", 3), ("train", "labels", 1), ("t10k", "images", 3), ("t10k", "labels", 1)];

    public static DataSource Open(string path, JobSpec spec)
    {
        var normalize = ImageNormalization.For(spec, ImageNormalization.Mnist);
        if (File.Exists(path)) throw DataFile.Invalid(path, "is a file, expected the folder that holds the four MNIST files");
        var folder = FolderOf(path);
        var digest = new DataDigest();
        return new DataSource(
            Read(folder, "train", normalize, spec.Augment, digest), Read(folder, "t10k", normalize, augment: null, digest), Endless: false,
            Classes)
        {
            Sha256 = digest.Compute(),
            Warnings = [.. Strangers(folder).Warning(folder, "{train,t10k}-{images-idx3,labels-idx1}-ubyte, plain or .gz,")],
        };
    }

    private static LeftOut Strangers(string folder)
    {
        var own = Contents.SelectMany(c => NamesOf(c.Split, c.Content, c.Dimensions)).ToHashSet(StringComparer.Ordinal);
        var leftOut = new LeftOut();
        foreach (var name in new FolderTree(folder).Names("").Where(name => !own.Contains(name) && LikeTheSet().IsMatch(name)))
            leftOut.Add(name);
        return leftOut;
    }

    /// <summary>The folder itself, or the one in which other tools put the files below it.</summary>
    private static string FolderOf(string path)
    {
        string[] candidates = [path, Path.Combine(path, "raw"), Path.Combine(path, "MNIST", "raw")];
        return Array.Find(candidates, c => FileOf(c, "train", "images", 3) is not null) ?? throw new JobException(
            ErrorCodes.PathMissing,
            $"{path}: no train-images-idx3-ubyte or train-images-idx3-ubyte.gz; expected the folder that holds the four MNIST files.");
    }

    /// <summary>A folder of that name comes last: reading it says that it is one.</summary>
    private static string? FileOf(string folder, string split, string content, int dimensions)
    {
        var places = NamesOf(split, content, dimensions).Select(name => Path.Combine(folder, name)).ToList();
        return places.Find(File.Exists) ?? places.Find(Path.Exists);
    }

    private static IEnumerable<string> NamesOf(string split, string content, int dimensions)
    {
        string[] names = [$"{split}-{content}-idx{dimensions}-ubyte", $"{split}-{content}.idx{dimensions}-ubyte"];
        return names.SelectMany(name => new[] { name, name + ".gz" });
    }

    private static ImageSplit Read(string folder, string split, NormalizeSpec normalize, AugmentSpec? augment, DataDigest digest)
    {
        var imageFile = Require(folder, split, "images", 3);
        var labelFile = Require(folder, split, "labels", 1);
        var (images, pixels) = IdxFile.Read(imageFile, 3);
        if (images[1] != Side || images[2] != Side)
            throw DataFile.Invalid(imageFile, $"images of {images[1]}x{images[2]}, expected {Side}x{Side}");
        var (_, labels) = IdxFile.Read(labelFile, 1);
        if (labels.Length != images[0] || labels.Length == 0)
            throw DataFile.Invalid(
                labelFile, $"{labels.Length} labels for {images[0]} images in {Path.GetFileName(imageFile)}",
                "expected as many, at least 1");
        var wrong = labels.AsSpan().IndexOfAnyExceptInRange((byte)0, (byte)(Classes - 1));
        if (wrong >= 0)
            throw DataFile.Invalid(
                labelFile, $"record {wrong} (byte offset {IdxFile.HeaderBytes(1) + wrong}): label {labels[wrong]}, expected 0 to 9");
        digest.Add($"{split}-images", pixels);
        digest.Add($"{split}-labels", labels);
        return new ImageSplit(pixels, labels, 1, Side, Side, normalize, augment);
    }

    private static string Require(string folder, string split, string content, int dimensions) =>
        FileOf(folder, split, content, dimensions) ?? throw new JobException(
            ErrorCodes.PathMissing,
            $"{Path.Combine(folder, $"{split}-{content}-idx{dimensions}-ubyte")}: no such file, with or without .gz.");

    [GeneratedRegex("(train|t10k)-(images|labels)", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex LikeTheSet();
}
