using CsCheck;
using Distributed.Core.Events;
using Distributed.Core.Jobs;

namespace Distributed.Core.Tests.Events;

public sealed class JobEventJsonTests
{
    private static readonly RankPlace[] Places = [new(new(0), "silo-0", "cpu:0"), new(new(1), "silo-0", "cpu:1")];

    private static readonly StepEvent Step = new(
        1, 0, 2.33, 256, 0.001, 65536, 1, false, 1, 1.5, new(1), 0.04, new(0.25, 0.5, 0.75, 1, 1.25, 1.5));

    public static TheoryData<JobEvent, string> Lines => new()
    {
        { new StartedEvent(JobId.Parse("j"), new(1), Places),
            """{"event":"started","job":"j","generation":1,"ranks":[{"rank":0,"silo":"silo-0","device":"cpu:0"},"""
            + """{"rank":1,"silo":"silo-0","device":"cpu:1"}]}""" },
        { new StartedEvent(JobId.Parse("j"), new(1), []) { Data = new(8000, 1000, 10, 0, "ab") },
            """{"event":"started","job":"j","generation":1,"ranks":[],"data":{"train":8000,"test":1000,"classes":10,"sha256":"ab"}}""" },
        { new GenerationEvent(new(2), "r", []) { Data = new(8, 0, 0, 50, "ab") },
            """{"event":"generation","number":2,"reason":"r","ranks":[],"data":{"train":8,"test":0,"vocabulary":50,"sha256":"ab"}}""" },
        { new DataEvent(new(8, 0, 0, 0, "ab")), """{"event":"data","data":{"train":8,"test":0,"sha256":"ab"}}""" },
        { new GenerationEvent(new(2), "silo b lost", []), """{"event":"generation","number":2,"reason":"silo b lost","ranks":[]}""" },
        { Step,
            """{"event":"step","step":1,"epoch":0,"loss":2.33,"items":256,"lr":0.001,"lossScale":65536,"growthTracker":1,"skipped":false"""
            + ""","updates":1,"gradNorm":1.5,"generation":1,"seconds":0.04,"phases":{"data":0.25,"forward":0.5,"backward":0.75"""
            + ""","exchange":1,"decide":1.25,"apply":1.5}}""" },
        {
            Step with { Ranks = new([new(new(3), 1, 0.5, 0.25, 0.125, 2, 3)]), Buckets = new([new(4096, 0.5)]) },
            """{"event":"step","step":1,"epoch":0,"loss":2.33,"items":256,"lr":0.001,"lossScale":65536,"growthTracker":1,"skipped":false"""
            + ""","updates":1,"gradNorm":1.5,"generation":1,"seconds":0.04,"phases":{"data":0.25,"forward":0.5,"backward":0.75"""
            + ""","exchange":1,"decide":1.25,"apply":1.5},"ranks":[{"rank":3,"step":1,"compute":0.5,"exchange":0.25,"exposed":0.125"""
            + ""","decide":2,"apply":3}],"buckets":[{"bytes":4096,"ready":0.5}]}"""
        },
        { new EvalEvent(100, new Dictionary<string, double> { ["loss"] = 1.2, ["accuracy"] = 0.57 }),
            """{"event":"eval","step":100,"metrics":{"loss":1.2,"accuracy":0.57}}""" },
        { new CheckpointEvent(100, "/a/b"), """{"event":"checkpoint","step":100,"path":"/a/b"}""" },
        { new WarningEvent("é <b> 'x'"), """{"event":"warning","message":"é <b> 'x'"}""" },
        { new CompletedEvent(500, 0.9, "ab", 2, 31, 4100, "/c"),
            """{"event":"completed","steps":500,"loss":0.9,"weightsSha256":"ab","skippedSteps":2,"seconds":31"""
            + ""","samplesPerSecond":4100,"checkpoint":"/c"}""" },
        { new StoppedEvent(7, "ab", null), """{"event":"stopped","step":7,"weightsSha256":"ab","checkpoint":null}""" },
        { new FailedEvent(new("deadline", "m", new(2), "b", "exchange", 118)),
            """{"event":"failed","error":{"code":"deadline","message":"m","rank":2,"silo":"b","phase":"exchange","step":118}}""" },
        { new FailedEvent(new("native", "m", null, null, null, null)),
            """{"event":"failed","error":{"code":"native","message":"m","rank":null,"silo":null,"phase":null,"step":null}}""" },
    };

    [Theory]
    [MemberData(nameof(Lines))]
    public void WriteAndRead_EachEvent_IsThisLineAndComesBack(JobEvent jobEvent, string line)
    {
        Assert.Equal(line, JobEventJson.Write(jobEvent));
        Assert.Equal(line, JobEventJson.Write(JobEventJson.Read(line)!));
        if (jobEvent is not (StartedEvent or GenerationEvent or EvalEvent)) Assert.Equal(jobEvent, JobEventJson.Read(line));
    }

    [Fact]
    public void WriteAndRead_AnyNumbers_ComeBackWithNullForWhatIsNotFinite() =>
        Gen.Select(Gen.Double, Gen.Double, Gen.Long, Gen.String.Null()).Sample((loss, norm, step, name) =>
        {
            var sent = Step with { Loss = loss, GradNorm = norm, Step = step, NonFinite = name };
            var line = JobEventJson.Write(sent);
            var expected = sent with { Loss = Finite(loss), GradNorm = Finite(norm) };
            Assert.DoesNotContain('\n', line);
            return expected == JobEventJson.Read(line);
        });

    [Fact]
    public void Write_WholeNumberBeyondDoublesDigits_HasEachDigit() =>
        Assert.Contains(
            "\"lossScale\":72057594037927936,", JobEventJson.Write(Step with { LossScale = 72057594037927936 }), StringComparison.Ordinal);

    [Fact]
    public void Write_SkippedStep_HasNullsAndTheCulprit()
    {
        var line = JobEventJson.Write(
            Step with { Skipped = true, Loss = double.NaN, GradNorm = double.PositiveInfinity, NonFinite = "fc.bias" });
        Assert.Contains("\"loss\":null", line, StringComparison.Ordinal);
        Assert.Contains("\"gradNorm\":null", line, StringComparison.Ordinal);
        Assert.Contains("\"nonFinite\":\"fc.bias\"", line, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_UnknownEvent_IsNull()
    {
        Assert.Null(JobEventJson.Read("""{"event":"later"}"""));
        Assert.Null(JobEventJson.Read("{}"));
    }

    [Theory]
    [InlineData("no json")]
    [InlineData("[1]")]
    [InlineData("""{"event":"checkpoint"}""")]
    [InlineData("""{"event":"checkpoint","step":"x","path":"y"}""")]
    [InlineData("""{"event":"started","job":"j","generation":1,"ranks":3}""")]
    [InlineData("""{"event":3}""")]
    [InlineData("""{"event":"checkpoint","event":"checkpoint"}""")]
    public void Read_BrokenLine_IsAFormatError(string line) => Assert.Throws<FormatException>(() => JobEventJson.Read(line));

    private static double Finite(double value) => double.IsFinite(value) ? value : double.NaN;
}
