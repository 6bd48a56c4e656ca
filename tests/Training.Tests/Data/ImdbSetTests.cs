using System.Formats.Tar;
using System.IO.Compression;
using System.Runtime.InteropServices;
using Distributed.Core.DataSets;
using Distributed.Core.Jobs;
using Distributed.Core.Models;
using Distributed.Core.Spec;
using Distributed.Testing;
using Distributed.Training.Data;

namespace Distributed.Training.Tests.Data;

public sealed class ImdbSetTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Theory]
    [InlineData("It's GREAT, 10/10!", "it's great 10 10")]
    [InlineData("bad.<br /><br />Very<BR />bad", "bad very bad")]
    [InlineData("'quoted' rock 'n' roll don't''", "quoted rock n roll don't")]
    [InlineData("caf\u00c9 na\u00efve <b>x</b>", "caf\u00e9 na\u00efve b x b")]
    [InlineData(" \n\t--- ", "")]
    [InlineData("", "")]
    public void Tokenizer_Text_GivesLowerCaseWords(string text, string expected)
    {
        var tokenizer = new ReviewTokenizer(text, new char[64]);
        var words = new List<string>();
        while (tokenizer.MoveNext()) words.Add(tokenizer.Current.ToString());

        Assert.Equal(expected.Split(' ', StringSplitOptions.RemoveEmptyEntries), words);
    }

    [Fact]
    public void Open_FolderAndArchive_GiveTheSameSamples()
    {
        var root = WriteSmall();
        var archive = directory.File("aclImdb.tar.gz");
        using (var gzip = new GZipStream(File.Create(archive), CompressionLevel.Fastest))
            TarFile.CreateFromDirectory(root, gzip, includeBaseDirectory: true);

        foreach (var path in new[] { root, directory.Path, archive })
        {
            var source = DataSources.Open(Spec(path, vocab: 6, length: 4));

            // Training words: good 4, bad 3, film 2, then "a" before "plot" among the single ones.
            Assert.Equal((4, 2), (source.Train.Count, source.Test!.Count));
            Assert.Equal([[0, 0, 3, 3], [0, 0, 3, 4], [2, 2, 2, 5], [0, 1, 4, 2]], Tokens(source.Train));
            Assert.Equal([[0, 0, 0, 1], [0, 2, 1, 1]], Tokens(source.Test));
            Assert.Equal([0f, 0, 1, 1], MemoryMarshal.Cast<byte, float>(Batches.Raw(source.Train, [0, 1, 2, 3]).Labels).ToArray());
        }
    }

    [Fact]
    public void Open_FilesOfAnotherForm_AreLeftOutWithOneWarning()
    {
        var root = WriteSmall();
        var clean = DataSources.Open(Spec(root, vocab: 6, length: 4));
        Assert.Empty(clean.Warnings);
        foreach (var file in new[] { "train/pos/._9_9.txt", "train/pos/notes.txt", "test/neg/1_1 (1).txt", "train/neg/0_1.txt.bak" })
            File.WriteAllText(Path.Combine(root, file), "a b c");
        // .NET's own way to make an archive of a folder leaves hidden files out.
        using (TarWriter tar = new(File.Create(directory.File("set.tar"))))
            foreach (var file in Directory.GetFiles(root, "*", SearchOption.AllDirectories))
                tar.WriteEntry(file, Path.GetRelativePath(directory.Path, file));
        foreach (var path in new[] { root, directory.File("set.tar") })
        {
            var source = DataSources.Open(Spec(path, vocab: 6, length: 4));
            Assert.Equal(clean.Summary, source.Summary);
            Assert.Contains(
                "3 files look like part of the set and are left out, such as train/pos/._9_9.txt", Assert.Single(source.Warnings),
                StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("utf-8", true, null)]
    [InlineData("utf-16", true, null)]
    [InlineData("utf-16BE", true, null)]
    [InlineData("utf-32", true, null)]
    [InlineData("utf-16", false, "utf-16le")]
    [InlineData("utf-16BE", false, "utf-16be")]
    [InlineData("latin1", false, "latin1")]
    [InlineData("latin1", false, "windows-1252")]
    [InlineData("utf-16", true, "latin1")]
    public void Open_TextInAnotherEncoding_IsReadByItsMarkOrTheKey(string encoding, bool mark, string? key)
    {
        var root = WriteSmall();
        var review = Path.Combine(root, "train/pos/9_9.txt");
        const string text = "caf\u00e9 film";
        File.WriteAllText(review, text);
        var expected = Tokens(DataSources.Open(Spec(root, vocab: 20, length: 4)).Train);
        var bytes = System.Text.Encoding.GetEncoding(encoding);
        File.WriteAllBytes(review, [.. mark ? bytes.GetPreamble().DefaultIfEmpty((byte)0) : [], .. bytes.GetBytes(text)]);
        // The key is for files without a mark; the others are ASCII.
        if (key?.StartsWith("utf-16", StringComparison.Ordinal) == true)
            foreach (var other in Directory.GetFiles(root, "*_*.txt", SearchOption.AllDirectories).Where(f => f != review))
                File.WriteAllBytes(other, bytes.GetBytes(File.ReadAllText(other)));
        var spec = Spec(root, vocab: 20, length: 4);
        Assert.Equal(expected, Tokens(DataSources.Open(
            spec with { Data = spec.Data with { Options = (ImdbOptions)spec.Data.Options with { Encoding = key ?? "utf-8" } } }).Train));
    }

    [Theory]
    [InlineData("utf-16", null, "zero characters")]
    [InlineData("latin1", null, "byte offset 3")]
    [InlineData("latin1", "utf-16le", "utf-16")]
    public void Open_TextThatDoesNotDecode_NamesTheFileAndTheKey(string encoding, string? key, string expected)
    {
        var root = WriteSmall();
        var review = Path.Combine(root, "train/neg/0_1.txt");
        File.WriteAllBytes(review, System.Text.Encoding.GetEncoding(encoding).GetBytes(encoding == "latin1" ? "caf\u00e9 !" : "caf !"));
        var spec = Spec(root, vocab: 20, length: 4);
        var error = Assert.Throws<JobException>(() => DataSources.Open(
            spec with { Data = spec.Data with { Options = (ImdbOptions)spec.Data.Options with { Encoding = key ?? "utf-8" } } }));
        Assert.Equal(ErrorCodes.DataInvalid, error.Code);
        if (key is null) Assert.Contains(review, error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.Contains("data.encoding", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_PartMissing_IsNamed()
    {
        var root = WriteSmall();
        Directory.Delete(Path.Combine(root, "test", "pos"), recursive: true);
        var error = Assert.Throws<JobException>(() => DataSources.Open(Spec(root, 10, 4)));

        Assert.Equal(ErrorCodes.PathMissing, error.Code);
        Assert.Contains(Path.Combine("test", "pos"), error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("train/pos")]
    [InlineData("train/neg")]
    [InlineData("test/pos")]
    [InlineData("test/neg")]
    public void Open_PartWithoutReviews_IsNamedForFolderAndArchive(string part)
    {
        var root = WriteSmall();
        foreach (var review in Directory.GetFiles(Path.Combine(root, part))) File.Delete(review);
        TarFile.CreateFromDirectory(root, directory.File("half.tar"), includeBaseDirectory: true);
        foreach (var path in new[] { root, directory.File("half.tar") })
        {
            var error = Assert.Throws<JobException>(() => DataSources.Open(Spec(path, 10, 4)));
            Assert.Equal(ErrorCodes.DataInvalid, error.Code);
            Assert.Contains($"{path}: no reviews in {part}", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Open_ArchiveOfSomethingElse_IsInvalid()
    {
        var other = Directory.CreateDirectory(directory.File("other")).FullName;
        File.WriteAllText(Path.Combine(other, "x.txt"), "x");
        using (var gzip = new GZipStream(File.Create(directory.File("o.tar.gz")), CompressionLevel.Fastest))
            TarFile.CreateFromDirectory(other, gzip, includeBaseDirectory: true);
        File.WriteAllText(directory.File("text.tar.gz"), "no archive at all");

        Assert.All(["o.tar.gz", "text.tar.gz"], name => Assert.Equal(
            ErrorCodes.DataInvalid, Assert.Throws<JobException>(() => DataSources.Open(Spec(directory.File(name), 10, 4))).Code));
    }

    [Fact]
    public void Open_TarCutBetweenTwoFiles_IsInvalid()
    {
        var archive = directory.File("whole.tar");
        TarFile.CreateFromDirectory(WriteSmall(), archive, includeBaseDirectory: true);
        var whole = File.ReadAllBytes(archive);
        for (var length = 0; length < whole.Length - 512; length += 512)
        {
            File.WriteAllBytes(directory.File("cut.tar"), whole[..length]);
            Assert.Equal(
                ErrorCodes.DataInvalid,
                Assert.Throws<JobException>(() => DataSources.Open(Spec(directory.File("cut.tar"), 10, 4))).Code);
        }
    }

    [SharedDataFact]
    public void Open_RealArchiveCutShort_IsInvalid()
    {
        var bytes = File.ReadAllBytes(Path.Combine(Checkout.SharedData!, "aclImdb.tar.gz"));
        foreach (var length in new[] { bytes.Length / 3, bytes.Length - 20_000, bytes.Length - 100, bytes.Length - 8, bytes.Length - 1 })
        {
            File.WriteAllBytes(directory.File("cut.tar.gz"), bytes[..length]);
            Assert.Equal(
                ErrorCodes.DataInvalid,
                Assert.Throws<JobException>(() => DataSources.Open(Spec(directory.File("cut.tar.gz"), 10_000, 200))).Code);
        }
    }

    [SharedDataFact]
    public void Open_RealArchive_HasAllReviewsAndAFullVocabulary()
    {
        var source = DataSources.Open(Spec(Path.Combine(Checkout.SharedData!, "aclImdb.tar.gz"), vocab: 10_000, length: 200));
        var tokens = Tokens(source.Train);
        var labels = MemoryMarshal.Cast<byte, float>(Batches.Raw(source.Test!, [.. Enumerable.Range(0, 2_000)]).Labels).ToArray();

        Assert.Equal((5_000, 2_000), (source.Train.Count, source.Test!.Count));
        Assert.Equal(1_000, labels.Sum());
        Assert.All(tokens, row => Assert.NotEqual(0, row[^1]));
        Assert.Equal(9_999, tokens.Max(row => row.Max()));
        Assert.InRange(tokens.SelectMany(r => r).Count(t => t == 2) / (double)tokens.SelectMany(r => r).Count(t => t > 0), 0.04, 0.08);
    }

    private static JobSpec Spec(string path, int vocab, int length) => Specs.Of("imdb", path) with
    {
        Model = ModelSpec.Of(new SentimentLstmOptions { Vocab = vocab, Embedding = 4, Hidden = 4 }),
        Data = DataSpec.Of(new ImdbOptions { Length = length }, path),
    };

    private static long[][] Tokens(IDataSplit split)
    {
        var tokens = MemoryMarshal.Cast<byte, long>(Batches.Raw(split, [.. Enumerable.Range(0, split.Count)]).Inputs).ToArray();
        return [.. tokens.Chunk((int)split.Input.Shape[0])];
    }

    private string WriteSmall()
    {
        var root = directory.File("aclImdb");
        foreach (var (file, text) in new[]
        {
            ("train/neg/1_2.txt", "Bad film"), ("train/neg/0_1.txt", "BAD bad!"), ("train/pos/9_9.txt", "plot<br />film good"),
            ("train/pos/10_8.txt", "good good good a"), ("train/unsup/1_0.txt", "unsup unsup unsup unsup unsup"),
            ("test/neg/1_1.txt", "novel"), ("test/pos/1_10.txt", "good novel novel"), ("README", "no review"),
        })
        {
            var path = Path.Combine(root, file);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, text);
        }

        return root;
    }
}
