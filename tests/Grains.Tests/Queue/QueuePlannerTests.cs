using System.Collections.Immutable;
using System.Net;
using CsCheck;
using Distributed.Core.Jobs;
using Distributed.Grains.Contracts;
using Distributed.Grains.Placement;
using Distributed.Grains.Queue;
using Orleans.Runtime;

namespace Distributed.Grains.Tests.Queue;

public sealed class QueuePlannerTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly QueueOptions Options = new();
    private static readonly LeasedSilo[] Silos =
        [.. Enumerable.Range(0, 4).Select(i => new LeasedSilo(SiloAddress.New(IPAddress.Loopback, 1000 + i, 7), $"silo-{i}", 2))];

    private sealed class Quotas(params (string User, UserQuota Quota)[] all) : IUserQuotas
    {
        public UserQuota Of(string user) => all.FirstOrDefault(q => q.User == user).Quota;
    }

    private static QueuedJob Job(
        string id, int min, int max, int ageSeconds = 0, int priority = 0, string user = "ann", int silos = 0, bool oneSilo = false) =>
        new(JobId.Parse(id), user, priority, new(1), silos, min, max, oneSilo, Now - TimeSpan.FromSeconds(ageSeconds));

    [Fact]
    public void Widen_OnlyWhatGainsRanks_TheFirstInLine()
    {
        string?[] jobs = ["a", "b", null, null];
        List<QueueSilo> silos = [.. Silos.Zip(jobs, (silo, job) => new QueueSilo(silo, job is null ? null : JobId.Parse(job), false))];
        QueueHolder Narrow(string id, int at, int max, int silos = 0) =>
            new(JobId.Parse(id), "ann", 2, [Silos[at]]) { Next = Job(id, 1, max, at, silos: silos) };
        QueueHolder[] holders = [Narrow("a", 0, 8), Narrow("b", 1, 8)];
        string? Of(IReadOnlyList<QueueSilo> cluster, params QueueHolder[] narrow) =>
            QueuePlanner.Widen(narrow, holders, cluster, new NoQuotas(), Options, Now) is { } grant
                ? $"{grant.Job.JobId}:{grant.Ranks}@{string.Join(',', grant.Silos.Select(s => s.Name))}"
                : null;

        Assert.Equal("b:6@silo-1,silo-2,silo-3", Of(silos, Narrow("a", 0, 8), Narrow("b", 1, 8)));
        Assert.Equal("a:4@silo-0,silo-2", Of(silos, Narrow("a", 0, 4)));
        Assert.Null(Of(silos, Narrow("a", 0, 2)));
        Assert.Null(Of(silos, Narrow("a", 0, 8, silos: 1)));
        Assert.Null(Of(silos, Narrow("a", 0, 8) with { Next = null }));
        Assert.Null(Of([.. silos.Select(s => s with { Draining = s.Holder is null })], Narrow("a", 0, 8)));
    }

    /// <summary>Four silos of two slots; each running job's priority and age in seconds.</summary>
    [Theory]
    [InlineData(5, 2, "0:0 0:9 0:5 0:7", "silo-0")]
    [InlineData(5, 2, "0:0 -3:9 0:5 0:7", "silo-1")]
    [InlineData(5, 4, "0:0 -3:9 0:5 5:7", "silo-1,silo-0")]
    [InlineData(5, 8, "0:0 0:9 0:5 5:7", "")]
    [InlineData(5, 8, "0:0 0:9 0:5 4:7", "silo-0,silo-2,silo-1,silo-3")]
    [InlineData(0, 2, "0:0 0:9 0:5 0:7", "")]
    [InlineData(5, 2, "0:0 - 0:5 0:7", "silo-0")]
    public void Preempt_LowerPriority_TheLeastAndLatestGoAndNoMoreThanItTakes(int priority, int ranks, string running, string gone)
    {
        List<QueueHolder> holders = [.. running.Split(' ').Select((job, i) => job == "-"
            ? new QueueHolder(JobId.Parse($"on-silo-{i}"), "bob", 2, [Silos[i]])
            : new QueueHolder(JobId.Parse($"on-silo-{i}"), "bob", 2, [Silos[i]])
            {
                Next = Job($"on-silo-{i}", 1, 2, int.Parse(job.Split(':')[1]), int.Parse(job.Split(':')[0]), "bob"),
            })];
        List<QueueSilo> silos = [.. Silos.Select((s, i) => new QueueSilo(s, JobId.Parse($"on-silo-{i}"), false))];
        var found = QueuePlanner.Preempt(
            Job("urgent", ranks, ranks, priority: priority), holders, holders, silos, new NoQuotas(), Options, Now);
        Assert.Equal(gone, string.Join(',', found.Select(h => h.JobId.ToString()[3..])));
    }

    [Fact]
    public void Preempt_OneLargeJobSuffices_SmallerOnesStay()
    {
        QueueHolder small = new(JobId.Parse("small"), "bob", 2, [Silos[0]]) { Next = Job("small", 1, 2, 0, -5) };
        QueueHolder large = new(JobId.Parse("large"), "bob", 6, [.. Silos[1..]]) { Next = Job("large", 6, 6, 0, -4) };
        List<QueueSilo> silos = [.. Silos.Select((s, i) => new QueueSilo(s, JobId.Parse(i == 0 ? "small" : "large"), false))];
        QueueHolder[] both = [small, large];
        Assert.Equal([large], QueuePlanner.Preempt(Job("urgent", 6, 6), both, both, silos, new NoQuotas(), Options, Now));
    }

    /// <summary>
    /// Silos that become free one after the other are kept for the job for which they were emptied, however short it has waited.
    /// </summary>
    [Fact]
    public void Plan_First_KeepsWhatIsFreeUntilItFits()
    {
        QueuedJob[] waiting = [Job("back", 1, 2, 7200), Job("urgent", 8, 8, 1, 10)];
        var plan = QueuePlanner.Plan(
            waiting, [], [.. Silos.Select((s, i) => new QueueSilo(s, i == 0 ? null : JobId.Parse("other"), false))], new NoQuotas(),
            Options, Now, first: JobId.Parse("urgent"));
        Assert.Empty(plan.Grants);
        Assert.Equal("Silos that become free are kept for it.", plan.Reasons[JobId.Parse("urgent")].Remedy);
    }

    /// <summary>What is free is kept for an older one: nobody goes for a job that would fit there.</summary>
    [Fact]
    public void Preempt_FreeSilosWouldDo_NobodyGoes()
    {
        QueueHolder low = new(JobId.Parse("low"), "bob", 2, [Silos[0]]) { Next = Job("low", 1, 2, 0, -5) };
        Assert.Empty(QueuePlanner.Preempt(
            Job("urgent", 2, 2), [low], [low], [new(Silos[0], JobId.Parse("low"), false), new(Silos[1], null, false)], new NoQuotas(),
            Options, Now));
    }

    /// <summary>A job for which others were asked to go comes before one that has waited for hours.</summary>
    [Fact]
    public void Plan_First_GoesBeforeAll()
    {
        QueuedJob[] waiting = [Job("old", 8, 8, 7200), Job("urgent", 8, 8, 1, 10)];
        Assert.Equal(["old:8@0,1,2,3"], Granted(Plan(waiting, 4)));
        var plan = QueuePlanner.Plan(
            waiting, [], [.. Silos.Select(s => new QueueSilo(s, null, false))], new NoQuotas(), Options, Now, first: JobId.Parse("urgent"));
        Assert.Equal(["urgent:8@0,1,2,3"], Granted(plan));
        Assert.Equal(["urgent", "old"], Plan(waiting, 0).Blocked.Select(j => j.JobId.ToString()));
    }

    /// <summary>Two silos' worth of a job that comes back, one of them still held by its ranks of before.</summary>
    [Fact]
    public void Plan_JobThatComesBack_WaitsForItsOwnSiloAndKeepsTheOther()
    {
        List<QueueSilo> silos = [new(Silos[0], JobId.Parse("back"), false), new(Silos[1], null, false)];
        QueuedJob[] waiting = [Job("back", 2, 4, 90), Job("late", 1, 2, 10)];
        var plan = QueuePlanner.Plan(waiting, [], silos, new NoQuotas(), Options, Now, coming: [JobId.Parse("back")]);
        Assert.Empty(plan.Grants);
        Assert.True(plan.IsContended);
        Assert.StartsWith("waits for the silos that it comes from", plan.Reasons[JobId.Parse("back")].What, StringComparison.Ordinal);
        Assert.Contains("job back comes first", plan.Reasons[JobId.Parse("late")].What, StringComparison.Ordinal);
        Assert.Equal(
            ["back:4@0,1"],
            Granted(QueuePlanner.Plan(waiting, [], [.. silos.Select(s => s with { Holder = null })], new NoQuotas(), Options, Now)));
    }

    /// <summary>Silos 0 and 1 have 8 GiB, 2 and 3 have 16; a rank takes 3, the first one 2 more.</summary>
    [Theory]
    [InlineData(1, 1, 0, null, "a:1@0")]
    [InlineData(2, 2, 0, null, "a:2@0")]
    // 5 and 3 are 8; with another GiB for the job it takes the larger ones, and waits for them.
    [InlineData(2, 2, 1, null, "a:2@2")]
    [InlineData(1, 4, 1, null, "a:4@2,3")]
    [InlineData(
        2, 2, 1, "2,3",
        "is the next one: needs 2 free slots at once; 0 of 4 slots are free on 0 of 2 silos (silo silo-0, silo silo-1 passed over: "
        + "too little memory for it)")]
    // No silo holds it, or too few do: it is refused where it begins.
    [InlineData(1, 2, 20, null, "a:2@0")]
    [InlineData(8, 8, 1, null, "a:8@0,1,2,3")]
    public void Plan_SilosOfDifferentMemory_AJobGoesWhereItFits(int min, int max, double moreGiB, string? taken, string expected)
    {
        const double gib = 1L << 30;
        var silos = Silos.Select((s, i) => new QueueSilo(
            s with { Memory = (i < 2 ? 8L : 16L) << 30 },
            taken?.Contains($"{i}", StringComparison.Ordinal) == true ? JobId.Parse("other") : null, false));
        var plan = QueuePlanner.Plan(
            [Job("a", min, max) with { Memory = (5 + moreGiB) * gib, MemoryPerRank = 3 * gib }], [], [.. silos], new NoQuotas(), Options,
            Now);
        Assert.Equal(expected, plan.Grants.Count > 0 ? Assert.Single(Granted(plan)) : plan.Reasons[JobId.Parse("a")].What);
    }

    /// <summary>Silos 0 and 1 have avx2, 2 and 3 avx512.</summary>
    private static IEnumerable<QueueSilo> Mixed(params string?[] holders) =>
        Silos.Select((s, i) => new QueueSilo(
            s with { Fingerprint = i < 2 ? "avx2" : "avx512" }, i < holders.Length && holders[i] is { } holder ? JobId.Parse(holder) : null,
            false));

    private static QueuePlan PlanMixed(QueuedJob job, params string?[] holders) =>
        QueuePlanner.Plan([job], [], [.. Mixed(holders)], new NoQuotas(), Options, Now);

    [Fact]
    public void Plan_SilosThatDiffer_AJobGetsOneKind()
    {
        Assert.Equal(["a:4@0,1"], Granted(PlanMixed(Job("a", 1, 8))));
        Assert.Equal(["a:4@2,3"], Granted(PlanMixed(Job("a", 1, 8), "other")));
        // The kind that it ran on before, also where the other would give more ranks.
        Assert.Equal(["a:4@2,3"], Granted(PlanMixed(Job("a", 1, 8) with { Fingerprint = "avx512" })));
        Assert.Equal(["a:2@3"], Granted(PlanMixed(Job("a", 1, 8) with { Fingerprint = "avx512" }, null, null, "other")));
        Assert.Equal(["a:4@0,1"], Granted(PlanMixed(Job("a", 3, 8) with { Fingerprint = "avx512" }, null, null, "other")));
        Assert.Equal(["a:2@2,3"], Granted(PlanMixed(Job("a", 2, 2, silos: 2), "other")));

        // Three slots are free, but no two silos that are alike.
        var next = PlanMixed(Job("a", 3, 8), "other", null, "other");
        Assert.Empty(next.Grants);
        Assert.Contains(
            "4 of 8 slots are free on 2 of 4 silos, which are not all alike", next.Reasons[JobId.Parse("a")].What,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Plan_NextOneFitsOneKindOnly_TheOtherKindIsNotKeptForIt()
    {
        List<QueueSilo> silos = [.. Silos.Select(
            (s, i) => new QueueSilo(s with { Fingerprint = i < 3 ? "avx2" : "avx512" }, i == 0 ? JobId.Parse("other") : null, false))];
        QueuedJob[] waiting = [Job("big", 6, 6, ageSeconds: 100_000), Job("small", 1, 2)];
        var plan = QueuePlanner.Plan(waiting, [], silos, new NoQuotas(), Options, Now);
        Assert.Equal(["small:2@3"], Granted(plan));
        Assert.Contains("4 of 6 slots are free on 2 of 3 silos", plan.Reasons[JobId.Parse("big")].What, StringComparison.Ordinal);
        plan = QueuePlanner.Plan(waiting, [], silos, new NoQuotas(), Options, Now, coming: [JobId.Parse("big")]);
        Assert.Equal(["small:2@3"], Granted(plan));
    }

    [Fact]
    public void Plan_MoreThanOneKindOfSilosHas_SaysThatTheyDiffer()
    {
        var ranks = PlanMixed(Job("a", 5, 8)).Reasons[JobId.Parse("a")];
        Assert.Equal("needs 5 slots on silos that are alike; the cluster has 2 kinds of silos, and of none more than 4 slots", ranks.What);
        Assert.Contains("'dtrain scale a --workers 4'", ranks.Remedy, StringComparison.Ordinal);
        Assert.Equal(
            "needs 3 silos that are alike; the cluster has 2 kinds of silos, and of none more than 2 silos",
            PlanMixed(Job("a", 3, 3, silos: 3)).Reasons[JobId.Parse("a")].What);
    }

    [Fact]
    public void Widen_FreeSilosOfAnotherKind_NobodyMoves()
    {
        QueueGrant? Widened(params string?[] holders)
        {
            QueueHolder narrow = new(JobId.Parse("a"), "ann", 2, [Silos[0]]) { Next = Job("a", 1, 8) with { Fingerprint = "avx2" } };
            return QueuePlanner.Widen([narrow], [narrow], [.. Mixed(holders)], new NoQuotas(), Options, Now);
        }

        Assert.Null(Widened("a", "other"));
        Assert.Equal(4, Widened("a")?.Ranks);
    }

    private static QueuePlan Plan(
        IEnumerable<QueuedJob> waiting, int freeSilos, IUserQuotas? quotas = null, params QueueHolder[] holders) =>
        QueuePlanner.Plan(
            waiting, holders, [.. Silos.Select((s, i) => new QueueSilo(s, i < freeSilos ? null : JobId.Parse("other"), Draining: false))],
            quotas ?? new NoQuotas(), Options, Now);

    private static string[] Granted(QueuePlan plan) =>
        [.. plan.Grants.Select(g => $"{g.Job.JobId}:{g.Ranks}@{string.Join(',', g.Silos.Select(s => s.Name[5..]))}")];

    [Fact]
    public void Plan_Fitting_TakesAsFewSilosAsGiveWhatItCanUse() => Assert.Equal(
        ["wide:4@0,1", "one:2@2", "any:2@3"],
        Granted(Plan([Job("wide", 1, 4, 30), Job("one", 1, 2, 20), Job("any", 1, 8, 10, oneSilo: true)], 4)));

    [Fact]
    public void Plan_NotWhole_IsNotPlacedAtAll()
    {
        var plan = Plan([Job("big", 6, 8, 5)], 2);
        Assert.Empty(plan.Grants);
        Assert.Equal(
            "is the next one: needs 6 free slots at once; 4 of 8 slots are free on 2 of 4 silos", plan.Reasons[JobId.Parse("big")].What);
    }

    [Fact]
    public void Plan_SiloWithAFault_IsPassedOverForJobsLikeIt()
    {
        var fault = new SiloFault("silo-0", "path-missing", "no t here", "t", Now - TimeSpan.FromMinutes(4));
        QueuedJob own = Job("own", 1, 2, 30) with { Faults = [fault], Inputs = "t" }, like = Job("like", 1, 2, 20) with { Inputs = "t" },
            other = Job("other", 1, 2, 10) with { Inputs = "u" };
        QueueSilo[] silos = [.. Silos[..2].Select(s => new QueueSilo(s, null, false))];
        QueuePlan Of(DateTimeOffset now, params QueuedJob[] jobs) =>
            QueuePlanner.Plan(jobs, [], silos, new NoQuotas(), Options, now, [fault]);

        Assert.Equal(["own:2@1", "other:2@0"], Granted(Of(Now, own, other)));
        Assert.Equal(["like:2@1"], Granted(Of(Now, like)));
        // Where nothing else could ever hold it, another job's word is not enough; its own is.
        Assert.Equal(["wide:4@0,1"], Granted(Of(Now, Job("wide", 4, 4) with { Inputs = "t" })));
        var waits = Of(Now, Job("wide", 4, 4) with { Inputs = "t", Faults = [fault] });
        Assert.Empty(waits.Grants);
        Assert.Equal("needs 4 free slots outside silo silo-0, where it failed: no t here", waits.Reasons[JobId.Parse("wide")].What);
        // What it waits for is kept for it, and nothing else.
        QueueSilo[] busy = [new(Silos[0], null, false), new(Silos[1], JobId.Parse("x"), false)];
        var head = QueuePlanner.Plan(
            [Job("head", 1, 2, 90) with { Inputs = "t", Faults = [fault] }, other], [], busy, new NoQuotas(), Options, Now, [fault]);
        Assert.Equal(["other:2@0"], Granted(head));
        Assert.Contains(
            "0 of 2 slots are free on 0 of 1 silos (silo silo-0 passed over: a job like it failed there)",
            head.Reasons[JobId.Parse("head")].What, StringComparison.Ordinal);
        // A while later it is tried again.
        Assert.Equal(["own:2@0"], Granted(Of(Now + TimeSpan.FromMinutes(1), own)));
    }

    [Fact]
    public void Plan_JobFromAClockThatWasAhead_HasWaitedNotAtAll() =>
        Assert.Equal(["ahead:2@0"], Granted(Plan([Job("now", 2, 2), Job("ahead", 2, 2, ageSeconds: -3600, priority: 1)], 1)));

    [Fact]
    public void Plan_BehindAHeadThatDoesNotFit_SmallerOnesPassUntilItHasWaitedLongEnough()
    {
        Assert.Equal(["small:2@0"], Granted(Plan([Job("big", 6, 8, 50), Job("small", 1, 2, 5)], 2)));
        var kept = Plan([Job("big", 6, 8, 61), Job("small", 1, 2, 5)], 2);
        Assert.Empty(kept.Grants);
        Assert.Contains("silos that become free are kept for it", kept.Reasons[JobId.Parse("big")].Remedy, StringComparison.Ordinal);
        Assert.Contains("job big comes first", kept.Reasons[JobId.Parse("small")].What, StringComparison.Ordinal);
    }

    [Fact]
    public void Plan_Priority_GoesBeforeAgeAndAgeCatchesUp()
    {
        Assert.Equal(["high:2@0"], Granted(Plan([Job("old", 2, 2, 60), Job("high", 2, 2, priority: 1)], 1)));
        Assert.Equal(["old:2@0"], Granted(Plan([Job("old", 2, 2, 601), Job("high", 2, 2, priority: 1)], 1)));
    }

    [Fact]
    public void Plan_OverQuotaForAMoment_HoldsNobodyUpAndShrinksWhereItMay()
    {
        var quotas = new Quotas(("ann", new UserQuota(3, null)), ("bob", new UserQuota(null, 1)));
        QueueHolder[] running = [new(JobId.Parse("a0"), "ann", 2, [Silos[3]]), new(JobId.Parse("b0"), "bob", 1, [Silos[2]])];
        var plan = Plan(
            [Job("a1", 2, 2, 59), Job("a2", 1, 4, 50), Job("b1", 1, 1, 40, user: "bob"), Job("c1", 1, 2, 30, user: "cleo"),
                Job("a3", 4, 4, 20)],
            2, quotas, running);
        Assert.Equal(["a2:1@0", "c1:2@1"], Granted(plan));
        Assert.Equal("needs 2 ranks; user ann has 2 of 3 running (a0)", plan.Reasons[JobId.Parse("a1")].What);
        Assert.Equal("user bob has 1 of 1 jobs running (b0)", plan.Reasons[JobId.Parse("b1")].What);
        Assert.Equal("needs 4 ranks, but user ann may have 3 at once: it can never begin", plan.Reasons[JobId.Parse("a3")].What);
    }

    [Fact]
    public void Plan_OverQuotaForLong_HoldsUpOnlyLaterOnesOfItsUser()
    {
        var quotas = new Quotas(("ann", new UserQuota(3, null)));
        QueueHolder[] running = [new(JobId.Parse("a0"), "ann", 2, [Silos[3]])];
        var plan = Plan(
            [Job("a1", 2, 2, 61), Job("a2", 1, 1, 50), Job("c1", 2, 2, 40, user: "cleo"), Job("a3", 1, 1, 30, priority: 1)], 3, quotas,
            running);
        Assert.Equal(["a3:1@0", "c1:2@1"], Granted(plan));
        Assert.Equal("needs 2 ranks; user ann has 3 of 3 running (a0, a3)", plan.Reasons[JobId.Parse("a1")].What);
        Assert.Equal("needs 1 ranks; user ann has 3 of 3 running (a0, a3)", plan.Reasons[JobId.Parse("a2")].What);
        var kept = Plan([Job("a1", 2, 2, 61), Job("a2", 1, 1, 50), Job("c1", 2, 2, 40, user: "cleo")], 3, quotas, running);
        Assert.Equal(["c1:2@0"], Granted(kept));
        Assert.Equal("job a1 of the same user comes first and waits for more of user ann's quota", kept.Reasons[JobId.Parse("a2")].What);
        // What can never begin is waited for by nobody.
        Assert.Equal(["a2:1@0"], Granted(Plan([Job("never", 4, 4, 900), Job("a2", 1, 1, 50)], 3, quotas, running)));
    }

    [Fact]
    public void Plan_LargerThanTheCluster_SaysSoAndHoldsNobodyUp()
    {
        var plan = Plan([Job("huge", 9, 9, 10_000), Job("small", 2, 2)], 4);
        Assert.Equal(["small:2@0"], Granted(plan));
        Assert.Equal("needs 9 slots; the cluster has 8 on 4 silos", plan.Reasons[JobId.Parse("huge")].What);
    }

    [Fact]
    public void Plan_LargerThanWhatDoesNotDrain_SaysWhoDoes()
    {
        var plan = QueuePlanner.Plan(
            [Job("all", 8, 8), Job("some", 6, 6)], [], [.. Silos.Select((s, i) => new QueueSilo(s, null, Draining: i == 3))],
            new NoQuotas(), Options, Now);
        Assert.Equal(["some:6@0,1,2"], Granted(plan));
        Assert.Equal("needs 8 slots; the cluster has 6 on 3 silos, and 1 more that drains", plan.Reasons[JobId.Parse("all")].What);
        Assert.Contains("'dtrain drain SILO --undo'", plan.Reasons[JobId.Parse("all")].Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void Plan_AnyCluster_NoSiloTwiceNoOverlapQuotaAndDemandHold() =>
        Gen.Select(
            Gen.Int[0, 4], Gen.Select(Gen.Int[1, 8], Gen.Int[0, 6], Gen.Int[0, 700], Gen.Int[-2, 2]).Array[0, 12]).Sample((free, jobs) =>
        {
            var waiting = jobs.Select((j, i) => Job($"j{i}", j.Item1, j.Item1 + j.Item2, j.Item3, j.Item4, $"u{i % 3}")).ToList();
            var quotas = new Quotas(("u0", new UserQuota(4, null)), ("u1", new UserQuota(null, 1)));
            var plan = Plan(waiting, free, quotas);
            var taken = plan.Grants.SelectMany(g => g.Silos).ToList();
            Assert.Equal(taken.Count, taken.Distinct().Count());
            Assert.All(taken, silo => Assert.Contains(silo, Silos.Take(free)));
            Assert.All(plan.Grants, g =>
            {
                Assert.InRange(g.Ranks, g.Job.MinRanks, g.Job.MaxRanks);
                Assert.True(g.Ranks <= g.Silos.Sum(s => s.Slots));
            });
            Assert.True(plan.Grants.Where(g => g.Job.User == "u0").Sum(g => g.Ranks) <= 4);
            Assert.True(plan.Grants.Count(g => g.Job.User == "u1") <= 1);
            Assert.Equal(
                waiting.Select(j => j.JobId.ToString()).Order(),
                plan.Grants.Select(g => g.Job.JobId.ToString()).Concat(plan.Reasons.Keys.Select(id => id.ToString())).Order());
        });

    /// <summary>
    /// Small jobs come without end, of another user or of the same one with a quota; whatever the large one needs, it gets it.
    /// </summary>
    [Theory]
    [InlineData("bob", 8)]
    [InlineData("ann", 4)]
    public void Plan_EndlessSmallJobs_TheLargeOneBegins(string user, int ranks)
    {
        var quotas = new Quotas(("ann", new UserQuota(ranks, null)));
        var now = Now;
        var running = new List<(QueueHolder Holder, DateTimeOffset Ends)>();
        var waiting = new List<QueuedJob>();
        for (var second = 0; second < 1000; second++, now += TimeSpan.FromSeconds(1))
        {
            running.RemoveAll(r => r.Ends <= now);
            // It comes when small ones have filled what there is, and end at different times; those before it in the
            // queue are done in 400 s.
            if (second == 40) waiting.Add(new QueuedJob(JobId.Parse("large"), user, 0, new(1), 0, ranks, ranks, false, now));
            waiting.Add(new QueuedJob(JobId.Parse($"s{second}"), user, 0, new(1), 0, 1, 2, false, now));
            var held = running.SelectMany(r => r.Holder.Silos).ToList();
            var silos = Silos.Select(s => new QueueSilo(s, held.Contains(s) ? JobId.Parse("x") : null, false)).ToList();
            var plan = QueuePlanner.Plan(waiting, running.Select(r => r.Holder), silos, quotas, Options, now);
            foreach (var grant in plan.Grants)
            {
                if (grant.Job.JobId.ToString() == "large") return;
                waiting.Remove(grant.Job);
                running.Add((new QueueHolder(grant.Job.JobId, user, grant.Ranks, grant.Silos), now + TimeSpan.FromSeconds(20)));
            }
        }

        Assert.Fail("The large job starved.");
    }
}
