using System.Collections.Immutable;
using System.Net;
using Distributed.Grains.Contracts;
using Distributed.Silo.Cluster.Clocks;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Orleans.Runtime;

namespace Distributed.Silo.Tests.Cluster.Clocks;

/// <summary>Times that other clocks wrote.</summary>
public sealed class ClockTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
    private readonly FakeTimeProvider clock = new(Noon);

    private SignsOfLife<string> Signs => signs ??= new(clock);
    private SignsOfLife<string>? signs;

    private static DateTime At(double seconds) => Noon.AddSeconds(seconds).UtcDateTime;

    private DateTime Read(double now, double said)
    {
        clock.AdjustTime(Noon.AddSeconds(now));
        return Signs.Translate("a", At(said));
    }

    [Fact]
    public void FromTheFuture_AndNeverAgain_GrowsOldFromWhenItWasSeen()
    {
        Assert.Equal(At(0), Read(0, 3600));
        Assert.Equal(At(0), Read(30, 3600));
    }

    [Fact]
    public void FromTheFuture_AgainAndAgain_StaysFresh()
    {
        Read(0, 3600);
        Assert.Equal(At(5), Read(5, 3605));
        Assert.Equal(At(10), Read(10, 3610));
    }

    [Fact]
    public void OfASlowClock_AgainAndAgain_IsFresh()
    {
        Assert.Equal(At(-3600), Read(0, -3600));
        Assert.Equal(At(5), Read(5, -3595));
    }

    [Fact]
    public void OfADeadSilo_IsOldAtOnce() => Assert.Equal(At(-60), Read(0, -60));

    [Fact]
    public void OfTheSameTime_StaysAsItIs()
    {
        Assert.Equal(At(-4), Read(0, -4));
        Assert.Equal(At(1), Read(0.5, 1));
        Assert.Equal(At(1), Read(40, 1));
    }

    [Theory]
    [InlineData(0, 1.9, 0, false)]
    [InlineData(0, 2.1, 0, true)]
    [InlineData(0, -2.1, 0, true)]
    // A long way says little of the clock at its end.
    [InlineData(0, 6, 8, false)]
    [InlineData(0, 3600, 8, true)]
    public void Compare_TellsOfClocksThatDifferMoreThanTheWayExplains(double sent, double theirs, double received, bool told)
    {
        var found = ClockCheck.Compare(Noon.AddSeconds(sent), Noon.AddSeconds(theirs), Noon.AddSeconds(received));
        Assert.Equal(told, found is not null);
        if (found is { } times) Assert.Equal((Noon.AddSeconds((sent + received) / 2), Noon.AddSeconds(theirs)), times);
    }

    [Fact]
    public async Task Check_SiloThatAnswersWithAnyError_EndsNothing()
    {
        var (own, other) = (SiloAddress.New(IPAddress.Loopback, 1, 1), SiloAddress.New(IPAddress.Loopback, 2, 1));
        ClusterMembershipSnapshot seen = new(
            ImmutableDictionary<SiloAddress, ClusterMember>.Empty.Add(own, new(own, SiloStatus.Active, "own"))
                .Add(other, new(other, SiloStatus.Active, "other")),
            new MembershipVersion(1));
        var asked = 0;
        using ClockCheck check = new(
            FakeGrains.Of<IClusterMembershipService>((_, _) => seen),
            FakeGrains.Of<ILocalSiloDetails>((method, _) => method.Name == "get_SiloAddress" ? own : "own"),
            FakeGrains.Of<IDeviceServices>((_, _) => throw new InvalidOperationException($"gone, the {++asked}.")),
            clock,
            NullLogger<ClockCheck>.Instance);
        await check.StartAsync(CancellationToken.None);
        await check.ExecuteTask!;
        Assert.Equal(1, asked);
    }
}
