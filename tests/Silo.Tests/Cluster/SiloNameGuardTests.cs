using System.Collections.Immutable;
using System.Net;
using Distributed.Core.Jobs;
using Distributed.Silo.Cluster;
using Distributed.Silo.Settings;
using Microsoft.Extensions.Logging.Abstractions;
using Orleans.Runtime;

namespace Distributed.Silo.Tests.Cluster;

/// <summary>How long a silo waits for the one whose name it bears.</summary>
public sealed class SiloNameGuardTests
{
    private static readonly SiloAddress Old = SiloAddress.New(IPAddress.Parse("10.0.0.1"), 11111, 1);
    private static readonly SiloAddress New = SiloAddress.New(IPAddress.Parse("10.0.0.2"), 11111, 2);

    private static Task Check(string clustering, TimeSpan leaves)
    {
        var time = new HastyTime();
        var settings = ClusterSettings.FromEnvironment(name => name switch
        {
            "DTRAIN_CLUSTERING" => clustering,
            "POD_NAME" or "DTRAIN_SILO_NAME" => "dtrain-0",
            "POD_NAMESPACE" => "train",
            _ => null,
        });
        return new SiloNameGuard(
            settings, new Members(time, leaves), new Self(), time, NullLogger<SiloNameGuard>.Instance,
            CancellationToken.None).Check(CancellationToken.None);
    }

    [Theory]
    [InlineData("localhost", 4)]
    [InlineData("files", 25)]
    [InlineData("kubernetes", 4)]
    [InlineData("kubernetes", 100)]
    public Task Namesake_ThatLeavesInTime_IsWaitedFor(string clustering, int seconds) => Check(clustering, TimeSpan.FromSeconds(seconds));

    [Theory]
    [InlineData("localhost", "DTRAIN_SILO_NAME: the cluster already has a silo 'dtrain-0' at 10.0.0.1:11111")]
    [InlineData("files", "DTRAIN_SILO_NAME: the cluster already has a silo 'dtrain-0' at 10.0.0.1:11111")]
    [InlineData("kubernetes", "an earlier pod dtrain-0 at 10.0.0.1:11111 has not left within 110 s")]
    public async Task Namesake_ThatStays_IsNamed(string clustering, string words)
    {
        var error = await Assert.ThrowsAsync<JobException>(() => Check(clustering, TimeSpan.FromHours(1)));
        Assert.Equal("silo-name-taken", error.Code);
        Assert.Contains(words, error.Message, StringComparison.Ordinal);
    }

    /// <summary>Every wait is over at once, and the clock has moved on by it.</summary>
    private sealed class HastyTime : TimeProvider
    {
        private long ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => ticks;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            ticks += dueTime.Ticks;
            return System.CreateTimer(callback, state, TimeSpan.Zero, period);
        }
    }

    private sealed class Members(TimeProvider time, TimeSpan leaves) : IClusterMembershipService
    {
        public ClusterMembershipSnapshot CurrentSnapshot => new(
            ImmutableDictionary<SiloAddress, ClusterMember>.Empty
                .Add(Old, new ClusterMember(Old, time.GetTimestamp() < leaves.Ticks ? SiloStatus.Active : SiloStatus.Dead, "dtrain-0"))
                .Add(New, new ClusterMember(New, SiloStatus.Joining, "dtrain-0")),
            new MembershipVersion(1));

        public IAsyncEnumerable<ClusterMembershipSnapshot> MembershipUpdates => throw new NotSupportedException();

        public ValueTask Refresh(MembershipVersion minimumVersion = default, CancellationToken cancellationToken = default) =>
            throw new NotSupportedException();

        public Task<bool> TryKill(SiloAddress siloAddress) => throw new NotSupportedException();
    }

    private sealed class Self : ILocalSiloDetails
    {
        public string Name => "dtrain-0";

        public string ClusterId => "dtrain";

        public string DnsHostName => "";

        public SiloAddress SiloAddress => New;

        public SiloAddress GatewayAddress => throw new NotSupportedException();
    }
}
