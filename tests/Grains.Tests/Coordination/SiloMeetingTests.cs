using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Core.Spec;
using Distributed.Grains.Contracts;
using Distributed.Grains.Coordination;

namespace Distributed.Grains.Tests.Coordination;

public sealed class SiloMeetingTests
{
    private static SiloMeeting Open(TimeSpan? deadline = null, params string[] silos) => new(
        new GenerationSetup(
            new(1), JobSpecJson.Write(Specs.Job()), [.. silos], TimeSpan.FromMinutes(5), deadline ?? TimeSpan.FromMinutes(5)),
        TimeProvider.System);

    [Fact]
    public async Task Meet_LastOfThree_AllGetTheEndpointsInRankOrderAndOneSecret()
    {
        var meeting = Open(silos: ["silo-9", "silo-10", "a"]);
        var third = meeting.Meet(new(1), "a", "a:3", "cpu");
        var second = meeting.Meet(new(1), "silo-10", "ten:2", "cpu");
        Assert.False(second.IsCompleted);
        var first = await meeting.Meet(new(1), "silo-9", "nine:1", "cpu");
        Assert.Null(first.Error);
        Assert.Equal(["nine:1", "ten:2", "a:3"], first.Endpoints.ToArray());
        Assert.Equal(32, first.Secret.Length);
        Assert.Same(first, await second);
        Assert.Same(first, await third);
        var again = await meeting.Meet(new(1), "silo-10", "ten:2", "cpu");
        Assert.Equal(first.Endpoints.ToArray(), again.Endpoints.ToArray());
        Assert.Equal(first.Secret.ToArray(), again.Secret.ToArray());
    }

    [Fact]
    public async Task Meet_OneSilo_AnswersAtOnceWithASecretOfItsOwn()
    {
        var one = await Open(silos: ["a"]).Meet(new(1), "a", "", "cpu");
        var other = await Open(silos: ["a"]).Meet(new(1), "a", "", "cpu");
        Assert.Equal([""], one.Endpoints.ToArray());
        Assert.NotEqual(one.Secret.ToArray(), other.Secret.ToArray());
    }

    [Fact]
    public async Task Meet_OtherFingerprint_RefusesAllNamingBothSilosAndValues()
    {
        var meeting = Open(silos: ["a", "b", "c"]);
        var first = meeting.Meet(new(1), "a", "a:1", "cpu; avx512");
        var second = await meeting.Meet(new(1), "b", "b:1", "cpu; avx2");
        Assert.Equal((ErrorCodes.Divergence, "b"), (second.Error!.Code, second.Error.Silo));
        Assert.StartsWith(
            "Silos a and b differ, so their bits could: \"cpu; avx512\" and \"cpu; avx2\".", second.Error.Message,
            StringComparison.Ordinal);
        Assert.Empty(second.Secret);
        Assert.Equal(second.Error, (await first).Error);
        Assert.Equal(second.Error, (await meeting.Meet(new(1), "c", "c:1", "cpu; avx512")).Error);
    }

    [Fact]
    public async Task Meet_MissingSilos_DeadlineNamesThemForAll()
    {
        var meeting = Open(TimeSpan.FromMilliseconds(50), "a", "b", "c");
        var reply = await meeting.Meet(new(1), "b", "b:1", "cpu");
        Assert.Equal((ErrorCodes.Deadline, "a", "start"), (reply.Error!.Code, reply.Error.Silo, reply.Error.Phase));
        Assert.StartsWith(
            "Start of generation 1: silo a, c has not come for 0.05 s; silo b arrived.", reply.Error.Message, StringComparison.Ordinal);
        Assert.Equal(reply.Error, (await meeting.Meet(new(1), "a", "a:1", "cpu")).Error);
    }

    [Theory]
    [InlineData(2, "a", "a:1", "generation 2; the current one is 1")]
    [InlineData(1, "x", "a:1", "x is not a member of generation 1; its members are a, b")]
    [InlineData(1, "a", "a:2", "twice, first at 'a:1', then at 'a:2'")]
    public async Task Meet_Stranger_IsRefusedAndTheOthersStillMeet(int generation, string silo, string endpoint, string message)
    {
        var meeting = Open(silos: ["a", "b"]);
        var first = meeting.Meet(new(1), "a", "a:1", "cpu");
        Assert.Matches(message, (await meeting.Meet(new(generation), silo, endpoint, "cpu")).Error!.Message);
        await meeting.Meet(new(1), "b", "b:1", "cpu");
        Assert.Equal(["a:1", "b:1"], (await first).Endpoints.ToArray());
    }

    [Fact]
    public async Task Close_WithASiloWaiting_AnswersItWithTheReason()
    {
        var meeting = Open(silos: ["a", "b"]);
        var first = meeting.Meet(new(1), "a", "a:1", "cpu");
        var reason = new JobError(ErrorCodes.SiloLost, "gone", new(1), "b", null, null);
        meeting.Close(reason);
        Assert.Equal(reason, (await first).Error);
        Assert.Equal(reason, (await meeting.Meet(new(1), "b", "b:1", "cpu")).Error);
    }

    [Fact]
    public async Task Reply_AsText_HoldsNoByteOfTheSecret()
    {
        var reply = await Open(silos: ["a"]).Meet(new(1), "a", "a:1", "cpu");
        Assert.Equal("endpoints a:1", $"{reply}");
    }
}
