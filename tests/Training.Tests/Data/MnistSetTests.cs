using System.Buffers.Binary;
using System.IO.Compression;
using Distributed.Core.Jobs;
using Distributed.Testing;
using Distributed.Training.Data;

namespace Distributed.Training.Tests.Data;

public sealed class MnistSetTests : IDisposable
{
    private const int ImageBytes = 28 * 28;

    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Theory]
    [InlineData(false, "")]
    [InlineData(true, "")]
    [InlineData(true, "MNIST/raw")]
    public void Open_PlainOrGzipped_GivesImagesAndLabels(bool zipped, string below)
    {
        WriteAll(zipped, below);
        var source = DataSources.Open(Specs.Of("mnist", directory.Path));
        var (inputs, labels) = Batches.Floats(source.Train, [2, 0]);

        Assert.Equal((5, 3, 10), (source.Train.Count, source.Test!.Count, source.Classes));
        Assert.Equal([1, 28, 28], source.Train.Input.Shape);
        Assert.Equal([2, 0], labels);
        Assert.Equal((float)(((2 * ImageBytes % 256 / 255.0) - 0.1307) / 0.3081), inputs[0]);
        Assert.Equal((float)((1 / 255.0 - 0.1307) / 0.3081), inputs[ImageBytes + 1]);
    }

    [Fact]
    public void Open_FilesThatDoNotFit_AreNamed()
    {
        Refused(
            "begins with 0x00000801, expected 0x00000803", "train-images-idx3-ubyte", Idx(0x801, [5, 28, 28], new byte[5 * ImageBytes]));
        Refused("images of 20x28, expected 28x28", "train-images-idx3-ubyte", Idx(0x803, [5, 20, 28], new byte[5 * 20 * 28]));
        Refused("3 labels for 5 images", "train-labels-idx1-ubyte", Idx(0x801, [3], new byte[3]));
        Refused("record 4 (byte offset 12): label 10, expected 0 to 9", "train-labels-idx1-ubyte", Idx(0x801, [5], [0, 1, 2, 3, 10]));
        Refused("1 bytes early", "train-labels-idx1-ubyte.gz", Zip(Idx(0x801, [5], [0, 1, 2, 3])));
        Refused("holds more than", "train-labels-idx1-ubyte.gz", Zip(Idx(0x801, [4], [0, 1, 2, 3, 4])));
        Refused("is an HTML or XML page, expected idx data", "train-labels-idx1-ubyte.gz", "<html><body>404</body></html>"u8.ToArray());
        Refused("0x1f8b0800 (gzip data inside gzip)", "train-labels-idx1-ubyte.gz", Zip(Zip(Idx(0x801, [5], [0, 1, 2, 3, 4]))));
        Refused("holds more than", "train-labels-idx1-ubyte", Idx(0x801, [4], [0, 1, 2, 3, 4]));
        Refused("claims 2147483648 in dimension 0", "train-labels-idx1-ubyte", Idx(0x801, [int.MinValue], [0]));
        Refused("claims 2147483647 in dimension 1", "t10k-images-idx3-ubyte.gz", Zip(Idx(0x803, [2, int.MaxValue, 28], new byte[9])));
        Refused("ends", "t10k-images-idx3-ubyte", [0, 0, 8]);
    }

    [Fact]
    public void Open_SameContentInAnyForm_IsReadByWhatItIsNotByItsName()
    {
        WriteAll(false, "");
        var plain = DataSources.Open(Specs.Of("mnist", directory.Path)).Summary;
        var images = File.ReadAllBytes(directory.File("train-images-idx3-ubyte"));
        File.WriteAllBytes(directory.File("train-images-idx3-ubyte"), [.. Zip(images[..100]), .. Zip(images[100..]), 0, 0, 0]);
        File.Move(directory.File("train-labels-idx1-ubyte"), directory.File("train-labels-idx1-ubyte.gz"));
        Assert.Equal(plain, DataSources.Open(Specs.Of("mnist", directory.Path)).Summary);

        images[^1] ^= 1;
        File.WriteAllBytes(directory.File("train-images-idx3-ubyte"), images);
        var other = DataSources.Open(Specs.Of("mnist", directory.Path)).Summary;
        Assert.False(plain.IsSameAs(other));
    }

    [Fact]
    public void Open_FilesBesideTheSet_AreOneWarning()
    {
        WriteAll(true, "");
        Assert.Empty(DataSources.Open(Specs.Of("mnist", directory.Path)).Warnings);
        File.WriteAllText(directory.File("train-images-idx3-ubyte (1).gz"), "");
        File.WriteAllText(directory.File("._t10k-labels-idx1-ubyte.gz"), "");
        var source = DataSources.Open(Specs.Of("mnist", directory.Path));
        Assert.Contains("2 files look like part of the set and are left out", Assert.Single(source.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Open_FolderWhereAFileIsExpected_IsCalledOne()
    {
        WriteAll(false, "");
        File.Delete(directory.File("train-images-idx3-ubyte"));
        Directory.CreateDirectory(directory.File("train-images-idx3-ubyte"));
        var error = Assert.Throws<JobException>(() => DataSources.Open(Specs.Of("mnist", directory.Path)));
        Assert.Contains(
            "train-images-idx3-ubyte: cannot be read (it is a folder, expected a file)", error.Message, StringComparison.Ordinal);
        error = Assert.Throws<JobException>(() => DataSources.Open(Specs.Of("mnist", directory.File("t10k-labels-idx1-ubyte"))));
        Assert.Contains("is a file, expected the folder", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_GzipCutAnywhere_NamesTheFile()
    {
        var whole = Zip(Idx(0x803, [3, 28, 28], [.. Enumerable.Range(0, 3 * ImageBytes).Select(i => (byte)(i * i))]));
        foreach (var length in new[] { 0, 5, 12, whole.Length / 2, whole.Length - 9, whole.Length - 1 })
            Refused("t10k-images-idx3-ubyte.gz", "t10k-images-idx3-ubyte.gz", whole[..length]);
    }

    [Fact]
    public void Open_FileMissing_IsPathMissing()
    {
        WriteAll(false, "");
        File.Delete(directory.File("t10k-labels-idx1-ubyte"));
        var error = Assert.Throws<JobException>(() => DataSources.Open(Specs.Of("mnist", directory.Path)));

        Assert.Equal(ErrorCodes.PathMissing, error.Code);
        Assert.Contains("t10k-labels-idx1-ubyte", error.Message, StringComparison.Ordinal);
    }

    [SharedDataFact]
    public void Open_RealFiles_HasSeventyThousandDigits()
    {
        var source = DataSources.Open(Specs.Of("mnist", Path.Combine(Checkout.SharedData!, "mnist")));
        var (inputs, labels) = Batches.Floats(source.Train, [.. Enumerable.Range(0, 10_000)]);

        Assert.Equal((60_000, 10_000), (source.Train.Count, source.Test!.Count));
        Assert.Equal([5, 0, 4, 1, 9, 2, 1, 3, 1, 4], labels[..10]);
        Assert.InRange(inputs.Average(), -0.02, 0.02);
    }

    private void Refused(string expected, string file, byte[] content)
    {
        foreach (var old in Directory.GetFiles(directory.Path)) File.Delete(old);
        WriteAll(false, "");
        File.Delete(directory.File(Path.GetFileNameWithoutExtension(file)));
        File.WriteAllBytes(directory.File(file), content);

        var error = Assert.Throws<JobException>(() => DataSources.Open(Specs.Of("mnist", directory.Path)));

        Assert.Equal(ErrorCodes.DataInvalid, error.Code);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.Contains(directory.Path, error.Message, StringComparison.Ordinal);
    }

    private void WriteAll(bool zipped, string below)
    {
        Directory.CreateDirectory(directory.File(below));
        foreach (var (split, count) in new[] { ("train", 5), ("t10k", 3) })
        {
            Write(
                $"{split}-images-idx3-ubyte",
                Idx(0x803, [count, 28, 28], [.. Enumerable.Range(0, count * ImageBytes).Select(i => (byte)i)]));
            Write($"{split}-labels-idx1-ubyte", Idx(0x801, [count], [.. Enumerable.Range(0, count).Select(i => (byte)i)]));
        }

        void Write(string name, byte[] content) =>
            File.WriteAllBytes(Path.Combine(directory.Path, below, zipped ? name + ".gz" : name), zipped ? Zip(content) : content);
    }

    private static byte[] Idx(int magic, int[] shape, byte[] data)
    {
        var bytes = new byte[4 + (4 * shape.Length) + data.Length];
        BinaryPrimitives.WriteInt32BigEndian(bytes, magic);
        for (var d = 0; d < shape.Length; d++) BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(4 + (4 * d)), shape[d]);
        data.CopyTo(bytes, 4 + (4 * shape.Length));
        return bytes;
    }

    private static byte[] Zip(byte[] content)
    {
        using var zipped = new MemoryStream();
        using (var gzip = new GZipStream(zipped, CompressionLevel.Fastest)) gzip.Write(content);
        return zipped.ToArray();
    }
}
