using System.Globalization;
using System.Text.RegularExpressions;
using Distributed.Core.Documents;
using Distributed.Core.Jobs;
using Distributed.Core.Spec;

namespace Distributed.Training.Data;

/// <summary>CIFAR-10 in its binary form: records of one label byte and 3,072 pixel bytes, planar RGB.</summary>
/// <remarks>Takes the unpacked folder, the folder above it, or the archive as downloaded, which is read without unpacking.</remarks>
internal static partial class Cifar10Set
{
    public const int Classes = 10;

    private const int PixelBytes = 3 * 32 * 32;
    private const int RecordBytes = 1 + PixelBytes;
    private const int PublishedFiles = 5;
    private const string FolderName = "cifar-10-batches-bin";
    private const string TestFile = "test_batch.bin";

    public static DataSource Open(string path, JobSpec spec)
    {
        var tree = DataTrees.Open(path);
        var root = DataTrees.FindRoot(tree, FolderName, folder => tree.Names(folder).Any(IsSetFile)) ?? "";
        var names = tree.Names(root).Where(IsSetFile).ToList();
        if (!names.Exists(IsTrain) || !names.Contains(TestFile)) throw Incomplete(path, names);

        var files = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        tree.Read(
            [.. names.Select(name => DataTrees.Join(root, name))],
            (file, length) => CheckLength(tree.Describe(file), length),
            (file, content) => files.Add(file, Checked(tree.Describe(file), content)));
        var digest = new DataDigest();
        foreach (var (file, content) in files) digest.Add(Path.GetFileName(file), content);

        var normalize = ImageNormalization.For(spec, ImageNormalization.Cifar10);
        var test = DataTrees.Join(root, TestFile);
        return new DataSource(
            Split([.. files.Where(f => f.Key != test).Select(f => f.Value)], normalize, spec.Augment),
            Split([files[test]], normalize, null), Endless: false, Classes)
        {
            Sha256 = digest.Compute(),
            Warnings = [.. Missing(path, names), .. Strangers(tree, root).Warning(path, "data_batch_N.bin and test_batch.bin")],
        };
    }

    private static bool IsTrain(string name) => TrainName().IsMatch(name);

    private static bool IsSetFile(string name) => name == TestFile || IsTrain(name);

    private static JobException Incomplete(string path, List<string> names) => new(
        Directory.Exists(path) ? ErrorCodes.PathMissing : ErrorCodes.DataInvalid,
        $"{path}: {(names.Exists(IsTrain) ? $"no {TestFile}" : "no data_batch_N.bin")}; expected the CIFAR-10 binary version "
        + $"(folder {FolderName} or cifar-10-binary.tar.gz).");

    private static IEnumerable<string> Missing(string path, List<string> names)
    {
        var numbers = names.Where(IsTrain)
            .Select(name => int.Parse(TrainName().Match(name).Groups[1].ValueSpan, CultureInfo.InvariantCulture)).ToHashSet();
        var expected = Math.Max(PublishedFiles, numbers.Max());
        var missing = Enumerable.Range(1, expected).Where(n => !numbers.Contains(n)).Select(n => $"data_batch_{n}.bin").ToList();
        if (missing.Count > 0)
            yield return $"{path}: {string.Join(", ", missing.Take(PublishedFiles))}{(missing.Count > PublishedFiles ? ", ..." : "")} "
                + $"{(missing.Count == 1 ? "is" : "are")} missing; "
                + $"training on {numbers.Count} of {expected} files. If that is not intended, download the set again.";
    }

    private static LeftOut Strangers(IDataTree tree, string root)
    {
        var leftOut = new LeftOut();
        foreach (var file in tree.Names(root).Where(name => !IsSetFile(name)).Concat(DataTrees.MacFiles(tree))
            .Where(file => LikeTheSet().IsMatch(file)))
            leftOut.Add(file);
        return leftOut;
    }

    private static void CheckLength(string file, long length)
    {
        if (length == 0 || length % RecordBytes != 0 || length > Array.MaxLength)
        {
            throw DataFile.Invalid(
                file, $"{length} bytes, expected a multiple of {RecordBytes} (label and {PixelBytes} pixels per record)",
                $"{length / RecordBytes} whole records and {length % RecordBytes} bytes: cut short?");
        }
    }

    private static byte[] Checked(string file, byte[] records)
    {
        for (var offset = 0; offset < records.Length; offset += RecordBytes)
        {
            if (records[offset] >= Classes)
                throw DataFile.Invalid(
                    file, $"record {offset / RecordBytes} (byte offset {offset}): label {records[offset]}, expected 0 to 9");
        }

        return records;
    }

    private static ImageSplit Split(byte[][] files, NormalizeSpec normalize, AugmentSpec? augment)
    {
        var count = files.Sum(records => (long)records.Length) / RecordBytes;
        if (count * PixelBytes > Array.MaxLength)
            throw new JobException(ErrorCodes.DataInvalid, $"CIFAR-10: {count} records, expected at most {Array.MaxLength / PixelBytes}.");
        var pixels = new byte[count * PixelBytes];
        var labels = new byte[count];
        var next = 0;
        foreach (var records in files)
        {
            for (var offset = 0; offset < records.Length; offset += RecordBytes, next++)
            {
                labels[next] = records[offset];
                records.AsSpan(offset + 1, PixelBytes).CopyTo(pixels.AsSpan(next * PixelBytes));
            }
        }

        return new ImageSplit(pixels, labels, 3, 32, 32, normalize, augment);
    }

    [GeneratedRegex(@"^data_batch_([1-9][0-9]{0,3})\.bin\z", RegexOptions.CultureInvariant)]
    private static partial Regex TrainName();

    [GeneratedRegex("(data|test)_batch", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex LikeTheSet();
}
