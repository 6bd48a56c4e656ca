using System.Globalization;
using Distributed.Core.Jobs;
using Distributed.Grains.Contracts;
using Distributed.Grains.Placement;

namespace Distributed.Grains.Queue;

/// <summary>Decides, without Orleans or a clock, which waiting jobs get which silos.</summary>
/// <remarks>
/// In order of priority, then age. Any job that fits starts, even ahead of an older job that does not (backfill); when the first of those
/// has waited past the patience, free silos are kept for it: it cannot starve.
/// A silo goes to one job whole. Jobs larger than the cluster hold nobody up; those over their user's quota hold up, after the same
/// patience, the later ones of that user alone: these would take what they wait for.</remarks>
internal sealed class QueuePlanner
{
    private readonly IReadOnlyList<QueueSilo> silos;
    private readonly List<LeasedSilo> usable;
    private readonly Dictionary<(int Silos, int MinRanks), bool> rooms = [];
    private readonly IUserQuotas quotas;
    private readonly QueueOptions options;
    private readonly DateTimeOffset now;
    private readonly IReadOnlyList<SiloFault> faults;
    private readonly List<QueueHolder> holders;
    private readonly List<LeasedSilo> free;
    private readonly List<QueueGrant> grants = [];
    private readonly Dictionary<JobId, JobFinding> reasons = [];
    private readonly Dictionary<string, QueuedJob> elders = [];
    private readonly List<QueuedJob> blocked = [];
    private JobId? first;
    private IReadOnlyCollection<JobId> coming = [];
    private QueuedJob? head;
    private bool reserved;

    private QueuePlanner(
        IEnumerable<QueueHolder> holders, IReadOnlyList<QueueSilo> silos, IUserQuotas quotas, QueueOptions options, DateTimeOffset now,
        IReadOnlyList<SiloFault> faults)
    {
        (this.silos, this.quotas, this.options, this.now, this.faults) = (silos, quotas, options, now, faults);
        this.holders = [.. holders];
        usable = [.. silos.Where(s => !s.Draining).Select(s => s.Silo)];
        free = [.. silos.Where(s => s is { Holder: null, Draining: false }).Select(s => s.Silo)];
    }

    /// <param name="waiting">In any order.</param>
    /// <param name="holders">Jobs that hold silos.</param>
    /// <param name="silos">Those that are alive and answer.</param>
    /// <param name="faults">What lately kept silos from running some job.</param>
    /// <param name="first">A waiting job that goes before all others: silos were emptied for it.</param>
    /// <param name="coming">
    /// Waiting jobs whose ranks of before still end on some silos: they are about to have these, too, and begin then.
    /// </param>
    public static QueuePlan Plan(
        IEnumerable<QueuedJob> waiting, IEnumerable<QueueHolder> holders, IReadOnlyList<QueueSilo> silos, IUserQuotas quotas,
        QueueOptions options, DateTimeOffset now,
        IReadOnlyList<SiloFault>? faults = null, IReadOnlyCollection<JobId>? coming = null, JobId? first = null)
    {
        var planner = new QueuePlanner(holders, silos, quotas, options, now, faults ?? []) { coming = coming ?? [], first = first };
        foreach (var job in waiting.OrderByDescending(j => j.JobId == first).ThenByDescending(planner.Weight).ThenBy(j => j.Since)
            .ThenBy(j => j.JobId.ToString(), StringComparer.Ordinal))
            planner.Consider(job);
        return new QueuePlan(planner.grants, planner.reasons)
        {
            IsContended = planner.head is not null,
            Blocked = [.. planner.blocked.OrderByDescending(j => j.Priority)],
        };
    }

    /// <summary>
    /// Running jobs of lower priority that would let a waiting one begin if they lined up again: of the lowest priority and the latest, and
    /// no more than it takes.
    /// </summary>
    /// <remarks>
    /// Their priorities are compared as they were asked for: that a job has waited long helps it to the next free silos,
    /// not to those of others.
    /// </remarks>
    /// <param name="eligible">Jobs that may be asked to line up again.</param>
    /// <returns>Empty: nobody's going would let it begin.</returns>
    public static IReadOnlyList<QueueHolder> Preempt(
        QueuedJob job, IEnumerable<QueueHolder> eligible, IReadOnlyCollection<QueueHolder> holders, IReadOnlyList<QueueSilo> silos,
        IUserQuotas quotas, QueueOptions options, DateTimeOffset now,
        IReadOnlyList<SiloFault>? faults = null)
    {
        List<QueueHolder> gone = [],
            lower = [.. eligible.Where(h => h.Next?.Priority < job.Priority).OrderBy(h => h.Next!.Priority)
                .ThenByDescending(h => h.Next!.Since).ThenBy(h => h.JobId.ToString(), StringComparer.Ordinal)];
        // What is free would do, and is kept for one that has waited longer; or nobody's going would help.
        if (lower.Count == 0 || Begins(gone) || !Begins(lower)) return [];
        foreach (var holder in lower)
        {
            gone.Add(holder);
            if (!Begins(gone)) continue;
            // The last one was needed; of the others those that cost most are spared first.
            foreach (var spared in gone[..^1].AsEnumerable().Reverse().ToList())
                if (Begins([.. gone.Where(g => g != spared)])) gone.Remove(spared);
            return gone;
        }

        return [];

        bool Begins(List<QueueHolder> without) => Plan(
            [job], holders.Where(h => !without.Exists(g => g.JobId == h.JobId)),
            [.. silos.Select(s => without.Exists(g => g.JobId == s.Holder) ? s with { Holder = null } : s)],
            quotas, options, now, faults).Grants.Count == 1;
    }

    /// <summary>A job that runs on fewer ranks than it would get if it lined up now, at nobody's cost.</summary>
    /// <param name="narrow">Jobs that may be asked to line up again.</param>
    /// <returns>What the first of them would get; null: none would get more.</returns>
    public static QueueGrant? Widen(
        IEnumerable<QueueHolder> narrow, IReadOnlyCollection<QueueHolder> holders, IReadOnlyList<QueueSilo> silos, IUserQuotas quotas,
        QueueOptions options, DateTimeOffset now,
        IReadOnlyList<SiloFault>? faults = null)
    {
        foreach (var holder in narrow.Where(h => h.Next is { Silos: 0 } next && next.MaxRanks > h.Ranks)
            .OrderByDescending(h => h.Next!.Priority).ThenBy(h => h.Next!.Since).ThenBy(h => h.JobId.ToString(), StringComparer.Ordinal))
        {
            List<QueueSilo> without = [.. silos.Select(s => s.Holder == holder.JobId ? s with { Holder = null } : s)];
            var plan = Plan([holder.Next!], holders.Where(h => h.JobId != holder.JobId), without, quotas, options, now, faults);
            if (plan.Grants is [var grant] && grant.Ranks > holder.Ranks) return grant;
        }

        return null;
    }

    private long Weight(QueuedJob job) => job.Priority + (long)(Waited(job) / options.Aging);

    /// <summary>One whose silo had a fast clock has not waited at all.</summary>
    private TimeSpan Waited(QueuedJob job) => now > job.Since ? now - job.Since : TimeSpan.Zero;

    /// <summary>
    /// A job does not go where it failed just now; where another one like it did, or where the memory does not hold it, only when it could
    /// never begin otherwise.
    /// </summary>
    /// <remarks>
    /// Where no silo holds it, it begins all the same: it is refused there with the figures, so that it does not wait for ever.
    /// </remarks>
    private List<LeasedSilo> UsableFor(QueuedJob job)
    {
        // As of nearly all jobs of a long line.
        if (job.Faults.IsDefaultOrEmpty && faults.Count == 0 && usable.TrueForAll(s => IsLargeEnough(job, s))) return usable;
        List<LeasedSilo> open = [.. usable.Where(s => !HasFailedOn(job, s))];
        List<LeasedSilo> large = [.. open.Where(s => IsLargeEnough(job, s))];
        if (HasRoom(job, large)) open = large;
        List<LeasedSilo> sound = [.. open.Where(s => !IsFaulty(job, s))];
        return HasRoom(job, sound) ? sound : open;
    }

    /// <summary>As far as the job's sizes tell, with as many ranks as it can have there.</summary>
    private static bool IsLargeEnough(QueuedJob job, LeasedSilo silo)
    {
        var ranks = job.Silos > 0 ? (job.MaxRanks + job.Silos - 1) / job.Silos : Math.Min(job.MaxRanks, silo.Slots);
        return silo.Memory == 0 || job.Memory + (Math.Max(0, ranks - 1) * job.MemoryPerRank) <= silo.Memory;
    }

    private bool HasFailedOn(QueuedJob job, LeasedSilo silo) =>
        !job.Faults.IsDefault && job.Faults.Any(f => f.Silo == silo.Name && !f.IsOver(now));

    private bool IsFaulty(QueuedJob job, LeasedSilo silo) =>
        faults.Any(f => f.Silo == silo.Name && !f.IsOver(now) && f.Concerns(job.Inputs));

    private static bool HasRoom(QueuedJob job, List<LeasedSilo> silos) =>
        Alike(silos).Any(alike => job.Silos > 0 ? alike.Count >= job.Silos : alike.Sum(s => s.Slots) >= job.MinRanks);

    /// <summary>The ranks of a job give the bits of one rank only where machines and builds are alike.</summary>
    private static List<List<LeasedSilo>> Alike(IEnumerable<LeasedSilo> silos) =>
        [.. silos.GroupBy(s => s.Fingerprint, StringComparer.Ordinal).OrderBy(kind => kind.Key, StringComparer.Ordinal)
            .Select(kind => kind.ToList())];

    /// <summary>Silos that suit the job, of kinds of which there are enough: to keep others for it would help nobody.</summary>
    private List<LeasedSilo> Fitting(QueuedJob job) =>
        [.. Alike(UsableFor(job)).Where(alike => HasRoom(job, alike)).SelectMany(alike => alike)];

    private void Consider(QueuedJob job)
    {
        if (OverQuota(job, out var most) is { } quota) reasons[job.JobId] = quota;
        else if (elders.TryGetValue(job.User, out var elder)) reasons[job.JobId] = AfterElder(job, elder);
        else if (NeverFits(job) is { } small) reasons[job.JobId] = small;
        else if (coming.Contains(job.JobId)) reasons[job.JobId] = AwaitItsOwn(job);
        else if (Pick([.. free.Intersect(UsableFor(job))], job, most) is { } silos) Grant(job, most, silos);
        else
        {
            blocked.Add(job);
            reasons[job.JobId] = head is null ? BecomeHead(job, most) : Behind(job);
        }
    }

    /// <summary>For a moment: what is free stays so for it.</summary>
    private JobFinding AwaitItsOwn(QueuedJob job)
    {
        head ??= job;
        free.RemoveAll(Fitting(job).Contains);
        return new("waits for the silos that it comes from", "It begins when its ranks there have ended.");
    }

    private void Grant(QueuedJob job, int most, List<LeasedSilo> picked)
    {
        var slots = picked.Sum(s => s.Slots);
        var ranks = job.Silos > 0 ? job.MaxRanks : Math.Min(most, slots);
        picked.Sort((a, b) => SiloNameOrder.Instance.Compare(a.Name, b.Name));
        free.RemoveAll(picked.Contains);
        holders.Add(new QueueHolder(job.JobId, job.User, ranks, [.. picked]));
        grants.Add(new QueueGrant(job, ranks, [.. picked]));
    }

    private JobFinding? OverQuota(QueuedJob job, out int most)
    {
        most = job.MaxRanks;
        var quota = quotas.Of(job.User);
        var mine = holders.Where(h => h.User == job.User).ToList();
        var used = mine.Sum(h => h.Ranks);
        if (quota.Ranks is { } ranks)
        {
            most = Math.Min(most, ranks - used);
            if (job.MinRanks > ranks) return new(
                Say($"needs {job.MinRanks} ranks, but user {job.User} may have {ranks} at once: it can never begin"),
                Say($"Ask for fewer ranks ('dtrain scale {job.JobId} --workers {ranks}'), or ask the operator for a larger quota."));
            if (job.MinRanks > most)
                return AwaitOwn(job, Say($"needs {job.MinRanks} ranks; user {job.User} has {used} of {ranks} running ({Names(mine)})"));
        }

        return quota.Jobs is { } jobs && mine.Count >= jobs
            ? AwaitOwn(job, Say($"user {job.User} has {mine.Count} of {jobs} jobs running ({Names(mine)})"))
            : null;
    }

    /// <summary>It could begin but for other jobs of its user: for a while later ones of the same user pass, then none does.</summary>
    private JobFinding AwaitOwn(QueuedJob job, string what)
    {
        if (Waited(job) >= options.Patience && NeverFits(job) is null) elders.TryAdd(job.User, job);
        return new(what, "It begins when enough of them have ended.");
    }

    private static JobFinding AfterElder(QueuedJob job, QueuedJob elder) => new(
        Say($"job {elder.JobId} of the same user comes first and waits for more of user {job.User}'s quota"),
        Say($"It begins after {elder.JobId}. To let it pass, stop that one or ask for fewer ranks ")
        + Say($"('dtrain scale {elder.JobId} --workers N')."));

    private JobFinding? NeverFits(QueuedJob job)
    {
        if (FailedOnTheRest(job) is { } failed) return failed;
        if (HasRoomAtAll(job)) return null;
        var (count, slots) = (usable.Count, usable.Sum(s => s.Slots));
        var draining = silos.Count(s => s.Draining);
        var others = draining == 0 ? "" : Say($", and {draining} more that {(draining == 1 ? "drains" : "drain")}");
        var back = draining == 0
            ? ""
            : " 'dtrain cluster' shows those that drain; 'dtrain drain SILO --undo' takes back what an operator asked for.";
        if (job.Silos > count) return new(
            Say($"needs {job.Silos} silos; the cluster has {count}{others}"), Say($"Add silos, or ask for {count} at most.{back}"));
        return job.Silos == 0 && job.MinRanks > slots
            ? new(Say($"needs {job.MinRanks} slots; the cluster has {slots} on {count} silos{others}"),
                (slots == 0
                    ? "Add silos, or wait until some are back."
                    : Say($"Add silos, or ask for fewer ranks ('dtrain scale {job.JobId} --workers {slots}').")) + back)
            : Unlike(job);
    }

    private bool HasRoomAtAll(QueuedJob job)
    {
        var need = (job.Silos, job.MinRanks);
        if (!rooms.TryGetValue(need, out var room)) rooms[need] = room = HasRoom(job, usable);
        return room;
    }

    /// <summary>There are silos enough, but not of one kind.</summary>
    private JobFinding Unlike(QueuedJob job)
    {
        var kinds = Alike(usable);
        var (silos, slots) = (kinds.Max(kind => kind.Count), kinds.Max(kind => kind.Sum(s => s.Slots)));
        var (need, have, ask) = job.Silos > 0
            ? (Say($"{job.Silos} silos"), Say($"{silos} silos"), Say($"{silos} silos at most"))
            : (Say($"{job.MinRanks} slots on silos"), Say($"{slots} slots"),
                Say($"fewer ranks ('dtrain scale {job.JobId} --workers {slots}')"));
        return new(
            Say($"needs {need} that are alike; the cluster has {kinds.Count} kinds of silos, and of none more than {have}"),
            $"'dtrain cluster' shows how they differ. Add silos like the others, or ask for {ask}.");
    }

    /// <summary>There are silos enough, but it failed on too many of them.</summary>
    private JobFinding? FailedOnTheRest(QueuedJob job)
    {
        if (job.Faults.IsDefaultOrEmpty) return null;
        var own = job.Faults.Where(f => !f.IsOver(now) && usable.Exists(s => s.Name == f.Silo)).ToList();
        if (own.Count == 0 || HasRoom(job, UsableFor(job)) || !HasRoomAtAll(job)) return null;
        return new(
            $"needs {Need(job)} outside {string.Join(", ", own.Select(f => $"silo {f.Silo}"))}, where it failed: {own[^1].Message}",
            Say($"Correct that, or add silos; it is tried there again {SiloFault.PassOver.TotalMinutes:0} minutes after it failed."));
    }

    /// <summary>The first that does not fit: for a while others pass, then what it needs is kept for it.</summary>
    private JobFinding BecomeHead(QueuedJob job, int most)
    {
        head = job;
        List<LeasedSilo> all = Fitting(job), mine = [.. free.Intersect(all)];
        var have = Say($"{mine.Sum(s => s.Slots)} of {all.Sum(s => s.Slots)} slots are free on {mine.Count} of {all.Count} ")
            + Say($"silos{PassedOver(job)}{(Alike(all).Count > 1 ? ", which are not all alike" : "")}");
        var running = holders.Count == 0 ? "" : $"; running: {Names(holders)}";
        if (job.JobId != first && Waited(job) < options.Patience)
            return new(
                $"is the next one: needs {Need(job)} at once; {have}{running}",
                "It begins when enough of them have ended; smaller jobs may pass it for now.");
        reserved = true;
        free.RemoveAll(mine.Contains);
        return new($"is the next one: needs {Need(job)} at once; {have}{running}", job.JobId == first
            ? "Silos that become free are kept for it."
            : $"It has waited longer than {Span(options.Patience)}: silos that become free are kept for it.");
    }

    private string PassedOver(QueuedJob job)
    {
        var left = usable.Except(UsableFor(job)).ToLookup(s => IsLargeEnough(job, s));
        return Left(left[true], "a job like it failed there") + Left(left[false], "too little memory for it");

        static string Left(IEnumerable<LeasedSilo> silos, string why) =>
            silos.Any() ? $" ({string.Join(", ", silos.Select(s => $"silo {s.Name}"))} passed over: {why})" : "";
    }

    private JobFinding Behind(QueuedJob job)
    {
        return new(
            Say($"needs {Need(job)}; job {head!.JobId} comes ")
            + Say($"first{(reserved ? " and free silos are kept for it" : Say($", and only {free.Sum(s => s.Slots)} slots are free"))}"),
            "It begins when enough of the running jobs have ended.");
    }

    private static string Need(QueuedJob job)
    {
        var (count, what) = job.Silos > 0 ? (job.Silos, "silo") : (job.MinRanks, "slot");
        return Say($"{count} free {what}{(count == 1 ? "" : "s")}");
    }

    /// <summary>
    /// From silos of one kind: the job's own, where these suffice, so that its bits stay the same; else of that which gives most ranks.
    /// </summary>
    /// <returns>Silos that give the job what it needs, in no order; null when the free ones do not.</returns>
    private static List<LeasedSilo>? Pick(List<LeasedSilo> free, QueuedJob job, int most) => Alike(free)
        .Select(alike => PickAlike(alike, job, most))
        .OfType<List<LeasedSilo>>()
        .OrderByDescending(picked => picked[0].Fingerprint == job.Fingerprint)
        .ThenByDescending(picked => Math.Min(most, picked.Sum(s => s.Slots)))
        .ThenBy(picked => picked.Sum(s => s.Slots))
        .FirstOrDefault();

    private static List<LeasedSilo>? PickAlike(List<LeasedSilo> free, QueuedJob job, int most)
    {
        if (job.Silos > 0) return free.Count >= job.Silos ? [.. free.OrderBy(s => s.Name, SiloNameOrder.Instance).Take(job.Silos)] : null;
        // One silo that is just large enough leaves the others to others.
        var bySize = free.OrderBy(s => s.Slots).ThenBy(s => s.Name, SiloNameOrder.Instance).ToList();
        if (bySize.Find(s => s.Slots >= most) is { } alone) return [alone];
        var picked = new List<LeasedSilo>();
        var enough = job.OneSilo ? job.MinRanks : most;
        foreach (var silo in free.OrderByDescending(s => s.Slots).ThenBy(s => s.Name, SiloNameOrder.Instance))
        {
            picked.Add(silo);
            if (picked.Sum(s => s.Slots) >= enough) break;
        }

        return picked.Count > 0 && picked.Sum(s => s.Slots) >= job.MinRanks ? picked : null;
    }

    private static string Names(List<QueueHolder> jobs) =>
        string.Join(", ", jobs.Take(3).Select(h => h.JobId)) + (jobs.Count > 3 ? Say($" and {jobs.Count - 3} more") : "");

    private static string Span(TimeSpan span) =>
        span.TotalSeconds < 120 ? Say($"{span.TotalSeconds:0.#} s") : Say($"{span.TotalMinutes:0.#} min");

    private static string Say(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
