using System.Formats.Tar;
using System.IO.Compression;
using System.Runtime.InteropServices;
using Distributed.Core;
using Distributed.Core.Jobs;
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
        var bytes = File.ReadAllBytes(SharedData.File("aclImdb.tar.gz"));
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
        var source = DataSources.Open(Spec(SharedData.File("aclImdb.tar.gz"), vocab: 10_000, length: 200));
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
        Model = new ModelSpec { Name = "sentiment-lstm", Vocab = vocab, Embedding = 4, Hidden = 4 },
        Data = new DataSpec { Name = "imdb", Path = path, Length = length },
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
