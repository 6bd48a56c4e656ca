using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using Distributed.Core.Jobs;
using Distributed.Core.Spec;
using Distributed.Core.Values;
using Distributed.Testing;
using Distributed.Training.Data;

namespace Distributed.Training.Tests.Data;

public sealed class Cifar10SetTests : IDisposable
{
    private const int RecordBytes = 3073;

    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public void Open_FolderFolderAboveAndArchive_GiveTheSameSamples()
    {
        var folder = Folder(Path.Combine(directory.Path, "above", "cifar-10-batches-bin"));
        var archive = directory.File("cifar-10-binary.tar.gz");
        using (var gzip = new GZipStream(File.Create(archive), CompressionLevel.Fastest))
            TarFile.CreateFromDirectory(folder, gzip, includeBaseDirectory: true);

        var sources = new[] { folder, Path.GetDirectoryName(folder)!, archive }.Select(p => DataSources.Open(Specs.Of("cifar10", p)))
            .ToArray();

        foreach (var source in sources)
        {
            Assert.Equal((7, 2, 10, false), (source.Train.Count, source.Test!.Count, source.Classes, source.Endless));
            Assert.Equal([0, 1, 2, 3, 0, 1, 2], Batches.Labels(source.Train));
            Assert.Equal(Batches.Raw(sources[0].Train, [0, 6]).Inputs, Batches.Raw(source.Train, [0, 6]).Inputs);
        }
    }

    [Fact]
    public void Open_FilesThatOnlyLookLikeTheSet_AreLeftOutWithOneWarning()
    {
        var folder = Folder(directory.File("c"));
        foreach (var n in new[] { 3, 4, 5 })
            File.Copy(Path.Combine(folder, "data_batch_1.bin"), Path.Combine(folder, $"data_batch_{n}.bin"));
        var clean = DataSources.Open(Specs.Of("cifar10", folder));
        Assert.Empty(clean.Warnings);
        string[] strangers =
            ["data_batch_1 (1).bin", "._data_batch_2.bin", "data_batch_0.bin", "data_batch_1.bin.bak", "test_batch copy.bin"];
        foreach (var name in strangers) File.Copy(Path.Combine(folder, "data_batch_1.bin"), Path.Combine(folder, name));
        File.WriteAllText(Path.Combine(folder, "batches.meta.txt"), "airplane");

        var source = DataSources.Open(Specs.Of("cifar10", folder));

        Assert.Equal(clean.Summary, source.Summary);
        Assert.Contains(
            "5 files look like part of the set and are left out, such as ._data_batch_2.bin", Assert.Single(source.Warnings),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Open_TrainingFileMissing_IsOneWarningThatNamesIt()
    {
        var folder = Folder(directory.File("c"));
        foreach (var n in new[] { 3, 4, 5 })
            File.Copy(Path.Combine(folder, "data_batch_1.bin"), Path.Combine(folder, $"data_batch_{n}.bin"));
        File.Delete(Path.Combine(folder, "data_batch_2.bin"));
        var source = DataSources.Open(Specs.Of("cifar10", folder));
        Assert.Contains("data_batch_2.bin is missing; training on 4 of 5 files", Assert.Single(source.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Open_WrongLabel_NamesFileRecordAndOffset()
    {
        var folder = Folder(directory.File("c"));
        var records = File.ReadAllBytes(Path.Combine(folder, "data_batch_1.bin"));
        records[2 * RecordBytes] = 10;
        File.WriteAllBytes(Path.Combine(folder, "data_batch_1.bin"), records);

        var error = Assert.Throws<JobException>(() => DataSources.Open(Specs.Of("cifar10", folder)));

        Assert.Equal(ErrorCodes.DataInvalid, error.Code);
        Assert.Contains(
            "data_batch_1.bin: record 2 (byte offset 6146): label 10, expected 0 to 9", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3072)]
    [InlineData(9000)]
    public void Open_LengthNoMultipleOfARecord_NamesFileAndLength(int length)
    {
        var folder = Folder(directory.File("c"));
        File.WriteAllBytes(Path.Combine(folder, "test_batch.bin"), new byte[length]);

        var error = Assert.Throws<JobException>(() => DataSources.Open(Specs.Of("cifar10", folder)));

        Assert.Equal(ErrorCodes.DataInvalid, error.Code);
        Assert.Contains($"test_batch.bin: {length} bytes, expected a multiple of 3073", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_ArchiveCutShort_IsInvalid()
    {
        var folder = Folder(directory.File("c"));
        var archive = directory.File("c.tar.gz");
        using (var gzip = new GZipStream(File.Create(archive), CompressionLevel.NoCompression))
            TarFile.CreateFromDirectory(folder, gzip, includeBaseDirectory: true);
        var bytes = File.ReadAllBytes(archive);

        foreach (var length in new[] { 0, 1, 100, 600, 5_000, bytes.Length / 2, bytes.Length * 3 / 4 })
        {
            File.WriteAllBytes(archive, bytes[..length]);
            var error = Assert.Throws<JobException>(() => DataSources.Open(Specs.Of("cifar10", archive)));
            Assert.Equal(ErrorCodes.DataInvalid, error.Code);
            Assert.Contains(archive, error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Open_ArchiveThatClaimsMoreThan64BitsOfBytes_IsInvalid()
    {
        var archive = directory.File("c.tar");
        TarFile.CreateFromDirectory(Folder(directory.File("c")), archive, includeBaseDirectory: false);
        var bytes = File.ReadAllBytes(archive);
        // A size in base 256: the first byte says so, all others are digits.
        bytes.AsSpan(124, 12).Fill(0xFF);
        bytes[124] = 0x80;
        bytes.AsSpan(148, 8).Fill((byte)' ');
        Encoding.ASCII.GetBytes($"{Convert.ToString(bytes.Take(512).Sum(b => b), 8),6}\0 ").CopyTo(bytes, 148);
        File.WriteAllBytes(archive, bytes);

        var error = Assert.Throws<JobException>(() => DataSources.Open(Specs.Of("cifar10", archive)));
        Assert.Equal(ErrorCodes.DataInvalid, error.Code);
        Assert.Contains($"{archive}: not a complete tar archive", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_NothingThere_IsPathMissing()
    {
        Directory.CreateDirectory(directory.File("empty"));

        Assert.All(["empty", "none"], name => Assert.Equal(
            ErrorCodes.PathMissing, Assert.Throws<JobException>(() => DataSources.Open(Specs.Of("cifar10", directory.File(name)))).Code));
    }

    [Fact]
    public void Open_OwnNormalization_IsUsed()
    {
        var folder = Folder(directory.File("c"));
        var half = new EquatableList<double>([0.5, 0.5, 0.5]);
        var spec = Specs.Of("cifar10", folder) with { Normalize = new NormalizeSpec { Mean = half, Std = half } };

        Assert.Equal(-1f, Batches.Floats(DataSources.Open(spec).Train, [0]).Inputs[0]);
        Assert.Equal(
            ErrorCodes.SpecInvalid,
            Assert.Throws<JobException>(() => DataSources.Open(spec with { Normalize = new() { Mean = new([1]), Std = new([1]) } })).Code);
    }

    [SharedDataFact]
    public void Open_RealFiles_HasThePublishedImages()
    {
        var source = DataSources.Open(Specs.Of("cifar10", Path.Combine(Checkout.SharedData!, "cifar-10-batches-bin")));

        Assert.Equal((4_000, 1_000), (source.Train.Count, source.Test!.Count));
        Assert.Equal([6, 9, 9, 4, 1, 1, 2, 7, 8, 3], Batches.Labels(source.Train)[..10]);
        Assert.Equal([3, 8, 8, 0, 6, 6, 1, 6, 3, 1], Batches.Labels(source.Test)[..10]);
    }

    /// <summary>Two training files of 4 and 3 records, labels 0, 1, 2, ...; two test records.</summary>
    private static string Folder(string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (var (name, count) in new[] { ("data_batch_1.bin", 4), ("data_batch_2.bin", 3), ("test_batch.bin", 2) })
        {
            var bytes = new byte[count * RecordBytes];
            for (var i = 0; i < bytes.Length; i++)
                bytes[i] = (byte)(i % RecordBytes == 0 ? i / RecordBytes : i % RecordBytes == 1 ? 0 : i * (count + 3));
            File.WriteAllBytes(Path.Combine(folder, name), bytes);
        }

        return folder;
    }
}
