using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using Distributed.Core.DataSets;
using Distributed.Core.Jobs;
using Distributed.Core.Machine;
using Distributed.Core.Models;
using Distributed.Core.Spec;
using Distributed.Testing.Fuzz;
using Distributed.Training.Data;
using Distributed.Training.Tests.Data;

namespace Distributed.Training.Tests.Fuzz;

/// <summary>Data files as they come from elsewhere.</summary>
public sealed class DataFuzzTests
{
    private static readonly byte[] Idx = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0, 4, .. Enumerable.Range(0, 32).Select(i => (byte)i)];

    [Fact]
    public void Idx_Damaged_IsReadOrRefusedInWords() =>
        FuzzRun.HoldFile("images-idx3-ubyte", [Idx, Zip(Idx), [.. Zip(Idx[..20]), .. Zip(Idx[20..])]], path => IdxFile.Read(path, 3));

    [Fact]
    public void Tar_Damaged_IsReadOrRefusedInWords() => FuzzRun.HoldFile(
        "set.tar",
        [.. ((TarEntryFormat[])[TarEntryFormat.Ustar, TarEntryFormat.Pax, TarEntryFormat.Gnu]).Select(Tar), Zip(Tar(TarEntryFormat.Gnu))],
        path =>
        {
            var tree = DataTrees.Open(path);
            var names = tree.Names("set").ToList();
            tree.Read(
                [.. names.Select(name => DataTrees.Join("set", name))],
                (_, length) => { if (length > 1 << 20) throw new JobException(ErrorCodes.DataInvalid, "more than any file of the set"); },
                (_, _) => { });
        });

    [Fact]
    public void Cifar10_Damaged_IsReadOrRefusedInWords()
    {
        byte[] records = [.. Record(3), .. Record(9)];
        FuzzRun.HoldFile("data_batch_1.bin", [records, [.. records, .. records]], path =>
        {
            File.WriteAllBytes(Path.Combine(Path.GetDirectoryName(path)!, "test_batch.bin"), Record(1));
            Samples(DataSources.Open(Specs.Of("cifar10", Path.GetDirectoryName(path))));
        });
    }

    [Fact]
    public void Imdb_DamagedReview_IsReadOrRefusedInWords()
    {
        byte[][] reviews = [Encoding.UTF8.GetBytes("A <br /> good film; it's déjà vu, 10/10!"),
            [0xFF, 0xFE, .. Encoding.Unicode.GetBytes("good")], [0xEF, 0xBB, 0xBF, .. "bad"u8]];
        var root = Directory.CreateTempSubdirectory("dtrain-fuzz-imdb-").FullName;
        try
        {
            foreach (var part in (string[])["train/neg", "train/pos", "test/neg", "test/pos"])
                File.WriteAllText(Path.Combine(Directory.CreateDirectory(Path.Combine(root, part)).FullName, "0_1.txt"), "a film");
            var spec = Specs.Of("imdb", root);
            FuzzRun.Hold(
                reviews,
                input =>
                {
                    File.WriteAllBytes(Path.Combine(root, "train/pos/1_9.txt"), input);
                    Samples(DataSources.Open(spec with
                    {
                        Model = ModelSpec.Of(new SentimentLstmOptions { Vocab = 6, Embedding = 1, Hidden = 1 }),
                        Data = spec.Data with { Options = new ImdbOptions { Length = 4 } },
                    }));
                },
                cost: 2);
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    [Fact]
    public void Tensors_Damaged_AreReadOrRefusedInWords()
    {
        byte[] Of(string header, int bytes) =>
            [.. BitConverter.GetBytes((long)header.Length), .. Encoding.UTF8.GetBytes(header), .. new byte[bytes]];
        var spec = Specs.Of("tensors", "x");
        FuzzRun.HoldFile(
            "x.safetensors",
            [
                Of(
                    "{\"x\":{\"dtype\":\"F32\",\"shape\":[2,4],\"data_offsets\":[0,32]},\"y\":{\"dtype\":\"I64\",\"shape\":[2],"
                    + "\"data_offsets\":[32,48]}}", 48),
                Of(
                    "{\"x\":{\"dtype\":\"F16\",\"shape\":[2,4],\"data_offsets\":[0,16]},\"y\":{\"dtype\":\"F32\",\"shape\":[2],"
                    + "\"data_offsets\":[16,24]},\"z\":{\"dtype\":\"BOOL\",\"shape\":[0],\"data_offsets\":[24,24]}}", 24),
            ],
            path => Samples(DataSources.Open(
                spec with { Model = ModelSpec.Of(new MlpOptions { Sizes = new([4, 3, 2]) }), Data = spec.Data with { Path = path } })));
    }

    /// <summary>What was taken in can also be read to its end.</summary>
    private static void Samples(DataSource source)
    {
        foreach (var split in (IDataSplit?[])[source.Train, source.Test])
            if (split is not null) Batches.Raw(split, [0, split.Count - 1]);
    }

    private static byte[] Record(byte label) => [label, .. Enumerable.Range(0, 3072).Select(i => (byte)i)];

    private static byte[] Tar(TarEntryFormat format)
    {
        MemoryStream bytes = new();
        using (TarWriter tar = new(bytes, format, leaveOpen: true))
        {
            foreach (var (name, length) in ((string, int)[])[("set/a.bin", 700), ("set/b.bin", 10), ($"set/{new string('n', 120)}", 5)])
            {
                if (format == TarEntryFormat.Ustar && name.Length > 100) continue;
                TarEntry entry = format switch
                {
                    TarEntryFormat.Pax => new PaxTarEntry(TarEntryType.RegularFile, name),
                    TarEntryFormat.Gnu => new GnuTarEntry(TarEntryType.RegularFile, name),
                    _ => new UstarTarEntry(TarEntryType.RegularFile, name),
                };
                entry.DataStream = new MemoryStream(new byte[length]);
                tar.WriteEntry(entry);
            }
        }

        return bytes.ToArray();
    }

    private static byte[] Zip(byte[] content)
    {
        MemoryStream bytes = new();
        using (GZipStream zip = new(bytes, CompressionLevel.Fastest, leaveOpen: true)) zip.Write(content);
        return bytes.ToArray();
    }
}
