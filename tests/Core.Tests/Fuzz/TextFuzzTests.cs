using System.Text;
using Distributed.Core.Documents;
using Distributed.Core.Events;
using Distributed.Core.Spec;
using Distributed.Core.Users;
using Distributed.Core.Values;
using Distributed.Testing.Fuzz;

namespace Distributed.Core.Tests.Fuzz;

/// <summary>Texts of users: jobs, overrides, users files, events.</summary>
public sealed class TextFuzzTests
{
    private const int LongestErrors = 64 << 10;

    private static readonly byte[][] Jobs =
    [
        Bytes("""{"name":"a","model":{"name":"mlp","sizes":[3072,16,10],"dropout":0.1},"data":{"name":"shapes","samples":100}"""
            + ""","precision":"mixed_float16","globalBatch":8,"microBatch":2,"steps":3,"seed":-1,"normalize":{"mean":[0.5,0.5,0.5]"""
            + ""","std":[1,1,1]},"augment":{"flip":true,"crop":4},"optimizer":{"name":"adamw","lr":1e-3,"betas":[0.9,0.999],"noDecay":"""
            + """["*.bias"]},"schedule":{"name":"cosine","warmupSteps":2},"clipNorm":1,"lossScale":{"policy":"megatron","init":65536}"""
            + ""","workers":{"min":1,"max":2},"limits":{"queued":"2h","losses":3}}"""),
        Bytes("""{"name":"b","model":{"name":"transformer","width":12,"layers":2,"heads":3,"vocab":256,"sequence":8}"""
            + ""","data":{"name":"text","path":"d","length":8},"globalBatch":12,"microBatch":4,"epochs":5,"checkpoint":{"everySteps":5"""
            + ""","keep":2},"evaluate":{"everySteps":3},"exchange":"coordinator"}"""),
    ];

    [Fact]
    public void JobJson_Damaged_IsReadOrRefusedInWords() =>
        FuzzRun.Hold(Jobs, input => Few(JobSpecJson.Read(Encoding.UTF8.GetString(input)).Errors));

    [Fact]
    public void UsersFile_Damaged_IsReadOrRefusedInWords() => FuzzRun.Hold(
        [
            Bytes(UsersFile.Write([new UserEntry("ann", UserRole.Submit, AccessToken.DigestHex("the token of ann"))
            {
                Ranks = 4,
                Queued = 3,
                MaxPriority = -7,
            }, new UserEntry("eve", UserRole.View, AccessToken.DigestHex("the token of eve"))])),
        ],
        input => Few(UsersFile.Read(Encoding.UTF8.GetString(input)).Errors));

    [Fact]
    public void Override_Damaged_IsAppliedOrRefusedInWords()
    {
        var root = JsonSpecNodes.Parse(Encoding.UTF8.GetString(Jobs[0])).Root!;
        FuzzRun.Hold(
            [Bytes("optimizer.betas=[0.9, 'x', \"y\"]"), Bytes("model.sizes=[1,2]"), Bytes("name=\"a b\""), Bytes("limits.run=8h"),
                Bytes("a.b.c.d='it''s'")],
            input =>
            {
                var applied = SpecOverrides.Apply(root, Encoding.UTF8.GetString(input));
                Few(applied.Errors);
                if (applied.Root is { } changed) Few(JobSpecReader.Read(changed).Errors);
            });
    }

    [Fact]
    public void Event_Damaged_IsReadOrNone() => FuzzRun.Hold(
        [
            Bytes(JobEventJson.Write(new CompletedEvent(5, 0.5, "ab", 0, 1, 1, "c"))),
            Bytes(JobEventJson.Write(new FailedEvent(new JobError("deadline", "late", new(1), "silo-0", "exchange", 7)))),
            Bytes(JobEventJson.Write(new WarningEvent("so it goes"))),
        ],
        input =>
        {
            try
            {
                JobEventJson.Read(Encoding.UTF8.GetString(input));
            }
            catch (FormatException refused)
            {
                Assert.InRange(refused.Message.Length, 1, 1000);
            }
        });

    private static void Few(IReadOnlyList<SpecError> errors)
    {
        Assert.InRange(errors.Count, 0, SpecBounds.MostErrors + 1);
        Assert.InRange(errors.Sum(error => error.Format("job.json").Length), 0, LongestErrors);
        Assert.All(
            errors, error => Assert.True(PlainText.IsPlain(error.Format("job.json")), PlainText.Show(error.Format("job.json"), 1000)));
    }

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
