using Distributed.Core;
using Distributed.Core.Jobs;

namespace Distributed.Training.Data;

/// <summary>MNIST, or a set in its form: four idx files, gzipped as downloaded or plain, in one folder.</summary>
internal static class MnistSet
{
    public const int Classes = 10;

    private const int Side = 28;

    public static DataSource Open(string path, JobSpec spec)
    {
        var normalize = ImageNormalization.For(spec, ImageNormalization.Mnist);
        var folder = FolderOf(path);
        return new DataSource(
            Read(folder, "train", normalize, spec.Augment), Read(folder, "t10k", normalize, augment: null), Endless: false, Classes);
    }

    /// <summary>The folder itself, or the one in which other tools put the files below it.</summary>
    private static string FolderOf(string path)
    {
        string[] candidates = [path, Path.Combine(path, "raw"), Path.Combine(path, "MNIST", "raw")];
        return Array.Find(candidates, c => FileOf(c, "train", "images", 3) is not null) ?? throw new JobException(
            ErrorCodes.PathMissing,
            $"{path}: no train-images-idx3-ubyte or train-images-idx3-ubyte.gz; expected the folder that holds the four MNIST files.");
    }

    private static string? FileOf(string folder, string split, string content, int dimensions)
    {
        string[] names = [$"{split}-{content}-idx{dimensions}-ubyte", $"{split}-{content}.idx{dimensions}-ubyte"];
        return names.SelectMany(n => new[] { n, n + ".gz" }).Select(n => Path.Combine(folder, n)).FirstOrDefault(File.Exists);
    }

    private static ImageSplit Read(string folder, string split, NormalizeSpec normalize, AugmentSpec? augment)
    {
        var imageFile = Require(folder, split, "images", 3);
        var labelFile = Require(folder, split, "labels", 1);
        var (images, pixels) = IdxFile.Read(imageFile, 3);
        if (images[1] != Side || images[2] != Side)
            throw DataFile.Invalid(imageFile, $"images of {images[1]}x{images[2]}, expected {Side}x{Side}");
        var (_, labels) = IdxFile.Read(labelFile, 1);
        if (labels.Length != images[0] || labels.Length == 0)
            throw DataFile.Invalid(labelFile, $"{labels.Length} labels for {images[0]} images in {Path.GetFileName(imageFile)}", "expected as many, at least 1");
        var wrong = labels.AsSpan().IndexOfAnyExceptInRange((byte)0, (byte)(Classes - 1));
        if (wrong >= 0)
            throw DataFile.Invalid(labelFile, $"record {wrong} (byte offset {IdxFile.HeaderBytes(1) + wrong}): label {labels[wrong]}, expected 0 to 9");
        return new ImageSplit(pixels, labels, 1, Side, Side, normalize, augment);
    }

    private static string Require(string folder, string split, string content, int dimensions) =>
        FileOf(folder, split, content, dimensions) ?? throw new JobException(
            ErrorCodes.PathMissing, $"{Path.Combine(folder, $"{split}-{content}-idx{dimensions}-ubyte")}: no such file, with or without .gz.");
}
