using System.Formats.Tar;
using System.IO.Compression;
using Distributed.Core;
using Distributed.Tests.Fuzz;
using Distributed.Training.Data;

namespace Distributed.Training.Tests.Fuzz;

/// <summary>Data files as they come from elsewhere.</summary>
public sealed class DataFuzzTests
{
    private static readonly byte[] Idx = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0, 4, .. Enumerable.Range(0, 32).Select(i => (byte)i)];

    [Fact]
    public void Idx_Damaged_IsReadOrRefusedInWords() => FuzzRun.HoldFile("images-idx3-ubyte", [Idx, Zip(Idx), [.. Zip(Idx[..20]), .. Zip(Idx[20..])]], path => IdxFile.Read(path, 3));

    [Fact]
    public void Tar_Damaged_IsReadOrRefusedInWords() => FuzzRun.HoldFile(
        "set.tar",
        [.. ((TarEntryFormat[])[TarEntryFormat.Ustar, TarEntryFormat.Pax, TarEntryFormat.Gnu]).Select(Tar), Zip(Tar(TarEntryFormat.Gnu))],
        path =>
        {
            var tree = DataTrees.Open(path);
            var names = tree.Names("set").ToList();
            tree.Read([.. names.Select(name => DataTrees.Join("set", name))], (_, length) => { if (length > 1 << 20) throw new JobException(ErrorCodes.DataInvalid, "more than any file of the set"); }, (_, _) => { });
        });

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
