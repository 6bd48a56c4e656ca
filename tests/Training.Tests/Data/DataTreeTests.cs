using System.Formats.Tar;
using System.IO.Compression;
using Distributed.Core.Jobs;
using Distributed.Core.Machine;
using Distributed.Testing;
using Distributed.Training.Data;

namespace Distributed.Training.Tests.Data;

/// <summary>An archive gives the samples of the folder that is unpacked from it.</summary>
public sealed class DataTreeTests : IDisposable
{
    private const string Set = "cifar-10-batches-bin";
    private const int RecordBytes = 3073;

    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public void Open_HardAndSymbolicLinks_AreFollowed() => SameAsUnpacked(
        5,
        Data($"{Set}/data_batch_1.bin", 1),
        Link(TarEntryType.HardLink, $"{Set}/data_batch_2.bin", $"{Set}/data_batch_1.bin"),
        Link(TarEntryType.SymbolicLink, $"{Set}/data_batch_3.bin", "data_batch_1.bin"),
        Link(TarEntryType.SymbolicLink, $"{Set}/data_batch_4.bin", $"../{Set}/./data_batch_3.bin"),
        Link(TarEntryType.SymbolicLink, $"{Set}/data_batch_5.bin", "../blobs/five"),
        Data("blobs/five", 1),
        Data($"{Set}/test_batch.bin", 2));

    [Fact]
    public void Open_FolderThatIsALink_IsFollowed() => SameAsUnpacked(
        2, Data("real/data_batch_1.bin", 2), Data("real/test_batch.bin", 1), Link(TarEntryType.SymbolicLink, Set, "real"));

    [Fact]
    public void Open_EntryThatStandsTwice_TheLastOneCounts() => SameAsUnpacked(
        3, Data($"{Set}/data_batch_1.bin", 5), Data($"{Set}/test_batch.bin", 1), Data($"./{Set}/data_batch_1.bin", 3));

    [Fact]
    public void Open_LinkReplacedByAFile_KeepsWhatTheOtherNameHolds() => SameAsUnpacked(
        6,
        Data($"{Set}/data_batch_1.bin", 4),
        Link(TarEntryType.HardLink, $"{Set}/data_batch_2.bin", $"{Set}/data_batch_1.bin"),
        Data($"{Set}/data_batch_1.bin", 2),
        Data($"{Set}/test_batch.bin", 1));

    [Fact]
    public void Open_SetBelowOtherFolders_IsFoundInBoth() => SameAsUnpacked(
        2, Data("a/b/data_batch_1.bin", 2), Data("a/b/test_batch.bin", 1), Data("__MACOSX/a/b/._data_batch_1.bin", 1),
        Data("notes.txt", 1));

    [Fact]
    public void Open_TwoSetsInOneArchive_NamesBoth()
    {
        var archive = Archive(
            [Data("a/data_batch_1.bin", 2), Data("a/test_batch.bin", 1), Data("b/data_batch_1.bin", 2), Data("b/test_batch.bin", 1)]);
        Assert.Contains("2 folders hold such a set: a, b", Refusal(archive), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(TarEntryType.SymbolicLink, "/etc/hostname", "outside the archive")]
    [InlineData(TarEntryType.SymbolicLink, "../../other", "leads out of the archive")]
    [InlineData(TarEntryType.SymbolicLink, "data_batch_1.bin", "leads back to itself")]
    [InlineData(TarEntryType.SymbolicLink, "nothing", "what is not in the archive")]
    [InlineData(TarEntryType.HardLink, Set + "/nothing", "does not come before it")]
    public void Open_LinkThatCannotBeFollowed_NamesTheEntry(TarEntryType type, string target, string expected)
    {
        var archive = Archive([Link(type, $"{Set}/data_batch_1.bin", target), Data($"{Set}/test_batch.bin", 1)]);
        Assert.Contains($"{Set}/data_batch_1.bin", Refusal(archive), StringComparison.Ordinal);
        Assert.Contains(expected, Refusal(archive), StringComparison.Ordinal);
    }

    [Fact]
    public void Open_FileOfOtherKind_NamesTheEntry()
    {
        var sparse = new PaxTarEntry(TarEntryType.RegularFile, $"{Set}/GNUSparseFile.1/data_batch_1.bin", new Dictionary<string, string>
        {
            ["GNU.sparse.major"] = "1",
            ["GNU.sparse.minor"] = "0",
            ["GNU.sparse.name"] = $"{Set}/data_batch_1.bin",
            ["GNU.sparse.realsize"] = "3073",
        })
        { DataStream = new MemoryStream(new byte[RecordBytes]) };
        Assert.Contains(
            $"{Set}/data_batch_1.bin: is a sparse file", Refusal(Archive([sparse, Data($"{Set}/test_batch.bin", 1)])),
            StringComparison.Ordinal);
        var pipe = new PaxTarEntry(TarEntryType.Fifo, $"{Set}/data_batch_1.bin");
        Assert.Contains(
            "is an entry of type Fifo", Refusal(Archive([pipe, Data($"{Set}/test_batch.bin", 1)])), StringComparison.Ordinal);
        var folder = new PaxTarEntry(TarEntryType.Directory, $"{Set}/data_batch_1.bin");
        Assert.Contains(
            "is a folder, expected a file", Refusal(Archive([folder, Data($"{Set}/test_batch.bin", 1)])), StringComparison.Ordinal);
    }

    [Fact]
    public void Open_EntriesThatLeadOutside_ArePassedOver()
    {
        var source = DataSources.Open(Specs.Of("cifar10", Archive(
            [Data($"../{Set}/data_batch_1.bin", 5), Data($"{Set}/data_batch_2.bin", 2), Data($"{Set}/test_batch.bin", 1)])));
        Assert.Equal(2, source.Train.Count);
    }

    private void SameAsUnpacked(int samples, params TarEntry[] entries)
    {
        var archive = Archive(entries);
        var folder = Directory.CreateDirectory(directory.File("unpacked")).FullName;
        using (var gzip = new GZipStream(File.OpenRead(archive), CompressionMode.Decompress))
            TarFile.ExtractToDirectory(gzip, folder, overwriteFiles: true);
        var (packed, unpacked) = (DataSources.Open(Specs.Of("cifar10", archive)), DataSources.Open(Specs.Of("cifar10", folder)));
        Assert.Equal(samples, packed.Train.Count);
        Assert.Equal(unpacked.Summary, packed.Summary);
        Assert.Equal(unpacked.Warnings.Select(w => w.Replace(folder, archive, StringComparison.Ordinal)), packed.Warnings);
        int[] all = [.. Enumerable.Range(0, samples)];
        Assert.Equal(Batches.Raw(unpacked.Train, all).Inputs, Batches.Raw(packed.Train, all).Inputs);
    }

    private static string Refusal(string archive)
    {
        var error = Assert.Throws<JobException>(() => DataSources.Open(Specs.Of("cifar10", archive)));
        Assert.Equal(ErrorCodes.DataInvalid, error.Code);
        return error.Message;
    }

    private string Archive(TarEntry[] entries)
    {
        var path = directory.File("set.tar.gz");
        using var gzip = new GZipStream(File.Create(path), CompressionLevel.Fastest);
        using TarWriter writer = new(gzip);
        foreach (var entry in entries) writer.WriteEntry(entry);
        return path;
    }

    /// <summary>Records of one label each, their pixels told by name and number.</summary>
    private static PaxTarEntry Data(string name, int records) => new(TarEntryType.RegularFile, name)
    {
        DataStream = new MemoryStream([.. Enumerable.Range(0, records * RecordBytes)
            .Select(i => (byte)(i % RecordBytes == 0 ? i / RecordBytes : i + name.Length + records))]),
    };

    private static PaxTarEntry Link(TarEntryType type, string name, string target) => new(type, name) { LinkName = target };
}
