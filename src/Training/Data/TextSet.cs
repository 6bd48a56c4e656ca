using System.Security.Cryptography;
using Distributed.Core.DataSets;
using Distributed.Core.Jobs;
using Distributed.Core.Spec;

namespace Distributed.Training.Data;

/// <summary>A file of any bytes, each a token, cut into samples one after another; what is left at the end is not used.</summary>
/// <remarks>
/// A sample is <c>length + 1</c> bytes: each of the first predicts the next. The last tenth of the samples, at least
/// one, is the test split.
/// </remarks>
internal static class TextSet
{
    private const int Classes = 256;
    private const int HeldOut = 10;
    private const int Chunk = 1 << 20;

    public static DataSource Open(string path, JobSpec spec)
    {
        var model = spec.Model.Options.Contract;
        var vocabulary = model.Vocabulary;
        var length = ((TextOptions)spec.Data.Options).Length ?? model.MostTokens
            ?? throw new JobException(
                ErrorCodes.SpecInvalid, $"data.length is missing: model {spec.Model.Name} takes samples of any length.");
        using var file = DataFile.OpenRead(path);
        var samples = file.Length / (length + 1);
        if (samples is < 2 or > int.MaxValue)
            throw DataFile.Invalid(
                path, $"{file.Length} bytes make {samples} samples of {length + 1}",
                $"expected 2 to {int.MaxValue}: one to train on and one held out");
        var digest = new DataDigest();
        var text = Read(path, file, vocabulary, digest);
        var test = (int)Math.Max(1, samples / HeldOut);
        var train = (int)samples - test;
        return new DataSource(new TextSplit(text, 0, train, length), new TextSplit(text, train, test, length), Endless: false, Classes)
        {
            Vocabulary = vocabulary,
            Sha256 = digest.Compute(),
        };
    }

    private static HostMemory Read(string path, FileStream file, int vocabulary, DataDigest digest)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var text = new HostMemory(file.Length);
        for (var offset = 0L; offset < text.Bytes; offset += Chunk)
        {
            var part = text.Slice(offset, (int)Math.Min(Chunk, text.Bytes - offset));
            DataFile.ReadExactly(file, part, path);
            hash.AppendData(part);
            var wrong = vocabulary < Classes ? part.IndexOfAnyExceptInRange((byte)0, (byte)(vocabulary - 1)) : -1;
            if (wrong >= 0)
                throw DataFile.Invalid(
                    path, $"byte offset {offset + wrong}: {part[wrong]}, expected 0 to {vocabulary - 1}",
                    $"model.vocab is {vocabulary}; {Classes} takes any file");
        }

        digest.Add("text", text.Bytes, hash.GetHashAndReset());
        return text;
    }
}
