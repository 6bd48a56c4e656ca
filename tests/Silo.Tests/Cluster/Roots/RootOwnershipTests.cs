using Distributed.Core.Jobs;
using Distributed.Silo.Cluster;
using Distributed.Silo.Cluster.Roots;
using Distributed.Silo.Settings;

namespace Distributed.Silo.Tests.Cluster.Roots;

/// <summary>One cluster owns a jobs root; a silo that was killed or froze owns nothing.</summary>
public sealed class RootOwnershipTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("root-").FullName;
    private readonly HastyTime time = new();
    private readonly List<string> lost = [];
    private readonly RootFolder folder;

    public RootOwnershipTests() => folder = new RootFolder(root);

    public void Dispose() => Directory.Delete(root, recursive: true);

    private static RootMark Mark(
        string silo, string key = "a", string cluster = "dtrain", string id = "", bool first = false,
        string? endpoint = "127.0.0.1:4000") =>
        new(id.Length > 0 ? id : $"{silo}-{key}", key, cluster, "localhost", silo, "box", 4711, endpoint, first, DateTimeOffset.UnixEpoch);

    private Task<RootOwnership> Claim(RootMark mark) => RootOwnership.Claim(root, mark, time, lost.Add);

    /// <summary>A silo of another cluster that gives signs of life whenever this one waits.</summary>
    private FileStream Living(RootMark mark)
    {
        var held = folder.Lock(mark.Id)!;
        mark = mark with { Kernel = ThisMachine.Kernel, Owns = true };
        folder.Create(mark);
        long beat = 0;
        time.Waited += () => folder.Beat(mark, ++beat);
        return held;
    }

    [Fact]
    public async Task SilosOfOneCluster_ShareIt()
    {
        await using var one = await Claim(Mark("s0"));
        await using var two = await Claim(Mark("s1"));
        Assert.Equal(["s1"], one.Sharers());
        Assert.Equal(["s0"], two.Sharers());
    }

    /// <summary>What a silo leaves that ended without a farewell: its mark, and no lock.</summary>
    private void Ended(string silo, long? kills, string? job, string key = "a")
    {
        var mark = Mark(silo, key) with { Kernel = ThisMachine.Kernel, Owns = true, Kills = kills, Job = JobId.Parse(job) };
        folder.Lock(mark.Id)!.Dispose();
        folder.Create(mark);
    }

    [Fact]
    public async Task TakeStarved_KernelEndedAProcessMeanwhile_GivesTheSiloAndItsJobOnceInAll()
    {
        long? kills = 4;
        await using var one = await RootOwnership.Claim(root, Mark("s0"), time, lost.Add, kills: () => kills);
        await using var two = await RootOwnership.Claim(root, Mark("s1"), time, lost.Add, kills: () => kills);
        Ended("killed", 4, "big");
        Ended("unknown", null, "other");
        Ended("stranger", 4, "big", key: "b");
        using (var living = folder.Lock("alive-a")) folder.Create(Mark("alive") with { Kernel = ThisMachine.Kernel, Kills = 4 });
        // Killed by hand: the kernel has not counted another.
        Assert.Empty(one.TakeStarved());
        kills = 5;
        using (var living = folder.Lock("alive-a"))
        {
            var taken = Assert.Single(one.TakeStarved());
            Assert.Equal(("killed", JobId.Parse("big")), (taken.Silo, taken.Job));
            Assert.Empty(two.TakeStarved());
            Assert.Empty(one.TakeStarved());
        }

        Assert.DoesNotContain(folder.Read(), m => m.Mark.Silo == "killed");
    }

    [Fact]
    public async Task TakeStarved_SiloStartsAgain_LearnsOfItsOwnEnd()
    {
        Ended("s0", 1, "big");
        Ended("s1", 2, "small");
        await using var again = await RootOwnership.Claim(root, Mark("s0", id: "second start"), time, lost.Add, kills: () => 2);
        Assert.Equal(JobId.Parse("big"), Assert.Single(again.TakeStarved()).Job);
        // The other one left no reason, and its mark is cleared away.
        Assert.Equal(["second start"], folder.Read().Select(m => m.Mark.Id));
    }

    [Fact]
    public async Task Tell_NamesTheJobAndTheCount()
    {
        await using var one = await RootOwnership.Claim(root, Mark("s0"), time, lost.Add, kills: () => 7);
        one.Job = () => JobId.Parse("big");
        one.Tell();
        var mark = Assert.Single(folder.Read()).Mark;
        Assert.Equal((7, JobId.Parse("big")), (mark.Kills, mark.Job));
    }

    [Fact]
    public async Task AnotherClusterLives_IsNamedWithTheRemedy()
    {
        using var held = Living(Mark("s0", "a", first: true));
        var error = await Assert.ThrowsAsync<JobException>(() => Claim(Mark("s1", "b", endpoint: "127.0.0.1:5000")));
        Assert.Equal("root-taken", error.Code);
        Assert.Contains(
            $"{root} belongs to another cluster, 'dtrain' (DTRAIN_CLUSTERING=localhost), whose silo s0 has run on box as process 4711",
            error.Message, StringComparison.Ordinal);
        Assert.Contains("To join it, set DTRAIN_PRIMARY=127.0.0.1:4000", error.Message, StringComparison.Ordinal);
        // The refused one leaves nothing that would be in anybody's way.
        Assert.Equal("s0", Assert.Single(folder.Read()).Mark.Silo);
    }

    [Theory]
    [InlineData("other", "127.0.0.1:4000", "give this cluster a folder of its own")]
    [InlineData("dtrain", null, "set DTRAIN_STORE as its silos have it")]
    [InlineData("dtrain", "127.0.0.1:4000", "Its first silo at 127.0.0.1:4000 has gone and left this one behind: end process 4711")]
    public async Task AnotherClusterLives_TheRemedyFitsIt(string cluster, string? endpoint, string remedy)
    {
        using var held = Living(Mark("s0", "a", cluster, endpoint: endpoint));
        var error = await Assert.ThrowsAsync<JobException>(() => Claim(Mark("s1", "b", endpoint: endpoint)));
        Assert.Contains(remedy, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SilosOfAnotherMachineMeetInThisRoot_TheRemedyIsThatMachineOrAnotherFolder()
    {
        using var held = Living(Mark("s0", "a", endpoint: null) with { Clustering = "files" });
        var error = await Assert.ThrowsAsync<JobException>(() => Claim(Mark("s1", "b", endpoint: null) with { Clustering = "files" }));
        Assert.Contains(
            "Its silos meet on loopback of box only: start this one there, or give this cluster a folder of its own.", error.Message,
            StringComparison.Ordinal);
        Assert.True(time.Passed < RootOwnership.Lease);
    }

    [Fact]
    public async Task SilosThatMeetInAFile_AreOfOneClusterOnOneMachineOnly()
    {
        var settings = ClusterSettings.FromEnvironment(name => name == "DTRAIN_CLUSTERING" ? "files" : null);
        await using var connections = await ClusterConnections.Open(settings, root);
        Assert.EndsWith(ThisMachine.Loopback, connections.StoreIdentity, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnotherClusterWasKilled_ItsLockIsFreeAndItsMarkTakenAwayAtOnce()
    {
        Living(Mark("s0")).Dispose();
        await using var taken = await Claim(Mark("s1", "b"));
        Assert.Equal("s1", Assert.Single(folder.Read()).Mark.Silo);
    }

    [Fact]
    public async Task AnotherClusterOnAnotherMachine_IsWaitedForUntilItsLeaseIsOver()
    {
        folder.Lock("far")!.Dispose();
        folder.Create(Mark("s0", id: "far") with { Kernel = "another", Owns = true });
        await using var taken = await Claim(Mark("s1", "b"));
        Assert.True(time.Passed >= RootOwnership.Lease);
        Assert.Equal("s1", Assert.Single(folder.Read()).Mark.Silo);
    }

    [Fact]
    public async Task FrozenOwner_LosesItAndLearnsOfItWhenItWakes()
    {
        await using var frozen = await Claim(Mark("s0"));
        await using var taken = await Claim(Mark("s1", "b"));
        Assert.True(time.Passed >= RootOwnership.Lease);
        Assert.Empty(lost);
        time.Wake(0);
        Assert.Contains("another cluster has taken the root", Assert.Single(lost), StringComparison.Ordinal);
        time.Wake(1);
        Assert.Single(lost);
    }

    [Fact]
    public async Task OwnerThatLeaves_LeavesNothing()
    {
        await (await Claim(Mark("s0"))).DisposeAsync();
        Assert.Empty(folder.Read());
        await using var next = await Claim(Mark("s1", "b"));
        Assert.Equal(TimeSpan.Zero, time.Passed);
    }

    [Fact]
    public async Task RootThatCannotBeWritten_IsNamed()
    {
        var file = Path.Combine(root, "file");
        await File.WriteAllTextAsync(file, "");
        var error = await Assert.ThrowsAsync<JobException>(
            () => RootOwnership.Claim(Path.Combine(file, "jobs"), Mark("s0"), time, lost.Add));
        Assert.Equal("storage", error.Code);
        Assert.Contains("DTRAIN_JOBS_ROOT", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Marks_OfTheFirstSiloAndOneThatJoinsIt_AreOfOneCluster()
    {
        static ClusterSettings Settings(string? primary) =>
            ClusterSettings.FromEnvironment(name => name == "DTRAIN_PRIMARY" ? primary : null);
        var first = ClusterRoot.MarkOf(Settings(null), null, "127.0.0.1", 4000);
        Assert.True(first.First);
        Assert.Equal(first.Key, ClusterRoot.MarkOf(Settings("127.0.0.1:4000"), null, "127.0.0.1", 4001).Key);
        Assert.NotEqual(first.Key, ClusterRoot.MarkOf(Settings(null), null, "127.0.0.1", 4001).Key);
        Assert.NotEqual(
            ClusterRoot.MarkOf(Settings(null), "store a", "127.0.0.1", 4000).Key,
            ClusterRoot.MarkOf(Settings(null), "store b", "127.0.0.1", 4000).Key);
    }

    /// <summary>Every wait is over at once, and the clock has moved on by it; what repeats does so when it is told to.</summary>
    private sealed class HastyTime : TimeProvider
    {
        private readonly List<(TimerCallback Callback, object? State)> repeating = [];
        private long ticks;

        public event Action? Waited;

        public TimeSpan Passed => TimeSpan.FromTicks(ticks);

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => ticks;

        public void Wake(int timer) => repeating[timer].Callback(repeating[timer].State);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            if (period > TimeSpan.Zero)
            {
                repeating.Add((callback, state));
                return System.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            }

            ticks += dueTime.Ticks;
            Waited?.Invoke();
            return System.CreateTimer(callback, state, TimeSpan.Zero, period);
        }
    }
}
