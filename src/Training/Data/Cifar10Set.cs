using Distributed.Core;
using Distributed.Core.Jobs;

namespace Distributed.Training.Data;

/// <summary>CIFAR-10 in its binary form: records of one label byte and 3,072 pixel bytes, planar RGB.</summary>
/// <remarks>Takes the unpacked folder, the folder above it, or the archive as downloaded, which is read without unpacking.</remarks>
internal static class Cifar10Set
{
    public const int Classes = 10;

    private const int PixelBytes = 3 * 32 * 32;
    private const int RecordBytes = 1 + PixelBytes;
    private const string FolderName = "cifar-10-batches-bin";
    private const string TestFile = "test_batch.bin";

    public static DataSource Open(string path, JobSpec spec)
    {
        var files = Directory.Exists(path) ? ReadFolder(path) : ReadArchive(path);
        var train = files.Where(f => IsTrain(f.Key)).OrderBy(f => f.Key, StringComparer.Ordinal).Select(f => f.Value).ToArray();
        if (train.Length == 0 || !files.TryGetValue(TestFile, out var test))
        {
            throw new JobException(
                Directory.Exists(path) ? ErrorCodes.PathMissing : ErrorCodes.DataInvalid,
                $"{path}: {(train.Length == 0 ? "no data_batch_*.bin" : $"no {TestFile}")}; expected the CIFAR-10 binary version "
                + $"(folder {FolderName} or cifar-10-binary.tar.gz).");
        }

        var normalize = ImageNormalization.For(spec, ImageNormalization.Cifar10);
        return new DataSource(Split(train, normalize, spec.Augment), Split([test], normalize, null), Endless: false, Classes);
    }

    private static bool IsTrain(string name) =>
        name.StartsWith("data_batch_", StringComparison.Ordinal) && name.EndsWith(".bin", StringComparison.Ordinal);

    private static Dictionary<string, Records> ReadFolder(string path)
    {
        var inner = Path.Combine(path, FolderName);
        var folder = Directory.Exists(inner) ? inner : path;
        var files = new Dictionary<string, Records>(StringComparer.Ordinal);
        foreach (var file in Directory.EnumerateFiles(folder, "*.bin"))
        {
            var name = Path.GetFileName(file);
            if (!IsTrain(name) && name != TestFile) continue;
            using var stream = DataFile.OpenRead(file);
            files.Add(name, ReadRecords(file, stream, stream.Length));
        }

        return files;
    }

    private static Dictionary<string, Records> ReadArchive(string path)
    {
        var files = new Dictionary<string, Records>(StringComparer.Ordinal);
        TarArchive.Read(path, (name, stream, length) =>
        {
            var file = Path.GetFileName(name);
            if (IsTrain(file) || file == TestFile) files[file] = ReadRecords($"{path}:{name}", stream, length);
        });
        return files;
    }

    private static Records ReadRecords(string file, Stream stream, long length)
    {
        if (length == 0 || length % RecordBytes != 0 || length > Array.MaxLength)
        {
            throw DataFile.Invalid(
                file, $"{length} bytes, expected a multiple of {RecordBytes} (label and {PixelBytes} pixels a record)",
                $"{length / RecordBytes} whole records and {length % RecordBytes} bytes: cut short?");
        }

        var bytes = new byte[length];
        DataFile.ReadExactly(stream, bytes, file);
        for (var record = 0; record < length / RecordBytes; record++)
        {
            var offset = record * RecordBytes;
            if (bytes[offset] >= Classes)
                throw DataFile.Invalid(file, $"record {record} (byte offset {offset}): label {bytes[offset]}, expected 0 to 9");
        }

        return new Records(bytes);
    }

    private static ImageSplit Split(Records[] files, NormalizeSpec normalize, AugmentSpec? augment)
    {
        var count = files.Sum(f => (long)f.Count);
        if (count * PixelBytes > Array.MaxLength)
            throw new JobException(ErrorCodes.DataInvalid, $"CIFAR-10: {count} records, expected at most {Array.MaxLength / PixelBytes}.");
        var pixels = new byte[count * PixelBytes];
        var labels = new byte[count];
        var next = 0;
        foreach (var file in files)
        {
            for (var record = 0; record < file.Count; record++, next++)
            {
                var source = file.Bytes.AsSpan(record * RecordBytes, RecordBytes);
                labels[next] = source[0];
                source[1..].CopyTo(pixels.AsSpan(next * PixelBytes));
            }
        }

        return new ImageSplit(pixels, labels, 3, 32, 32, normalize, augment);
    }

    private sealed record Records(byte[] Bytes)
    {
        public int Count => Bytes.Length / RecordBytes;
    }
}
