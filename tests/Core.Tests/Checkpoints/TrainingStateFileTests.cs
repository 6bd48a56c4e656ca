using CsCheck;
using Distributed.Core.Checkpoints;
using Distributed.Core.Jobs;
using Distributed.Core.LossScaling;
using Distributed.Core.Samples;
using Distributed.Core.Stepping;
using Distributed.Testing;

namespace Distributed.Core.Tests.Checkpoints;

public sealed class TrainingStateFileTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    private static readonly Gen<TrainingSnapshot> Snapshots =
        from step in Gen.Long[0, long.MaxValue]
        from updates in Gen.Long[0, step]
        from scale in Gen.Float.Where(float.IsFinite)
        from numbers in Gen.Int.Array[4]
        from unexplained in Gen.Long[0, step - updates]
        from recent in Gen.Double[0, 1]
        from parameter in Gen.String[Gen.Char.AlphaNumeric, 1, 8].Null()
        from seed in Gen.Long
        from text in Gen.String[Gen.Char.Where(c => !char.IsSurrogate(c)), 0, 20]
        from data in Gen.Select(Gen.Long, Gen.Long, Gen.Int, Gen.Int, Gen.String[Gen.Char.AlphaNumeric, 0, 64])
            .Select(d => new DataSummary(d.Item1, d.Item2, d.Item3, d.Item4, d.Item5)).Null()
        from names in Gen.String[Gen.Char.AlphaNumeric, 1, 8].Array[0, 5]
        select new TrainingSnapshot
        {
            State = new TrainerState(
                step, updates, new LossScaleState(scale, numbers[0], numbers[1], numbers[2], numbers[3]),
                unexplained == 0 ? default : new SkipTally(unexplained, 7, parameter))
            {
                RecentSkips = recent,
            },
            Seed = seed,
            Fingerprint = text,
            Data = data,
            ParameterSteps = names.Distinct().ToDictionary(n => n, n => updates / (n.Length + 1)),
            SpecJson = """{"name":"t","optimizer":{"lr":0.1}}""",
        };

    [Fact]
    public void Write_ThenRead_GivesBackEveryBit() =>
        Snapshots.Sample(snapshot =>
        {
            var read = TrainingStateFile.Read(Write(snapshot));

            Assert.Equal(snapshot.State, read.State);
            Assert.Equal(
                BitConverter.SingleToInt32Bits(snapshot.State.LossScale.Scale), BitConverter.SingleToInt32Bits(read.State.LossScale.Scale));
            Assert.Equal((snapshot.Seed, snapshot.Fingerprint, snapshot.Data), (read.Seed, read.Fingerprint, read.Data));
            Assert.Equal(snapshot.ParameterSteps.OrderBy(p => p.Key), read.ParameterSteps.OrderBy(p => p.Key));
            Assert.Equal(snapshot.SpecJson, string.Concat(read.SpecJson.Where(c => !char.IsWhiteSpace(c))));
        }, iter: 200, threads: 1);

    [Theory]
    [InlineData("\"version\": 1", "\"version\": 2", "format version 2, expected 1")]
    [InlineData("\"updates\": 5", "\"updates\": 9", "0 <= updates <= step")]
    [InlineData("\"step\": 8", "\"step\": -8", "0 <= updates <= step")]
    [InlineData("\"scale\": 2", "\"scale\": 1e60", "scale")]
    [InlineData("\"count\": 3", "\"count\": 4", "4 unexplained skips, expected 0 to 3")]
    [InlineData("\"recentSkips\": 0.375", "\"recentSkips\": 1.5", "share 1.5 of recent skips, expected 0 to 1")]
    [InlineData("\"w\": 5", "\"w\": 6", "parameter \"w\" has 6 steps")]
    [InlineData("\"seed\"", "\"sead\"", "")]
    [InlineData("\"job\": {", "\"job\": [{", "")]
    [InlineData("}", "", "")]
    public void Read_WrongContent_NamesFileAndFault(string from, string to, string expected)
    {
        var path = Write(new TrainingSnapshot
        {
            State = new TrainerState(8, 5, new LossScaleState(2, 1, 1, -1, 0), new SkipTally(3, 2, "w")) { RecentSkips = 0.375 },
            Seed = 1,
            Fingerprint = "cpu",
            ParameterSteps = new Dictionary<string, long> { ["w"] = 5 },
            SpecJson = """{"name":"t"}""",
        });
        var text = File.ReadAllText(path);
        Assert.Contains(from, text, StringComparison.Ordinal);
        File.WriteAllText(path, text.Replace(from, to, StringComparison.Ordinal));

        var error = Assert.Throws<JobException>(() => TrainingStateFile.Read(path));

        Assert.Equal(ErrorCodes.CheckpointInvalid, error.Code);
        Assert.Contains(path, error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    private string Write(TrainingSnapshot snapshot)
    {
        var path = directory.File("state.json");
        using var stream = File.Create(path);
        TrainingStateFile.Write(stream, snapshot);
        return path;
    }
}
