using Distributed.Core.Jobs;
using Distributed.Core.Machine;
using Distributed.Silo.Failures;
using Distributed.Silo.Settings;

namespace Distributed.Silo.Cluster.Roots;

/// <summary>This silo's part in its cluster's hold on the jobs root: one cluster at a time has it.</summary>
/// <remarks>
/// A silo that comes writes its own mark, then looks for those of other clusters: of two that come at once at least one sees the other. A
/// mark is left when its process has ended, or when it has not changed for <see cref="Lease"/> by the watcher's own clock; who finds it
/// takes it away, and a frozen silo that wakes and misses its mark ends.
/// </remarks>
internal sealed partial class RootOwnership : IAsyncDisposable
{
    /// <summary>A silo that gives no sign of life for so long has lost its hold.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan BeatPeriod = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(250);

    /// <summary>No silo that lives leaves its mark unchanged for so long.</summary>
    private static readonly TimeSpan Forgotten = TimeSpan.FromDays(1);

    /// <summary>As marks say it.</summary>
    private static readonly string Files = nameof(Clustering.Files).ToLowerInvariant();

    private readonly RootFolder folder;
    private readonly TimeProvider time;
    private readonly FileStream? held;
    private readonly Action<string> lost;
    private readonly Func<long?> kills;
    private readonly List<RootMark> starved = [];
    private RootMark mark;
    private ITimer? timer;
    private volatile bool disposed;
    private long beats;

    private RootOwnership(RootFolder folder, RootMark mark, FileStream? held, TimeProvider time, Action<string> lost, Func<long?> kills) =>
        (this.folder, this.mark, this.held, this.time, this.lost, this.kills) = (folder, mark, held, time, lost, kills);

    /// <summary>The job whose ranks this silo runs; part of each sign of life.</summary>
    public Func<JobId?> Job { get; set; } = () => null;

    /// <summary>Joins the cluster's hold on the root, or takes the root when no other cluster lives in it.</summary>
    /// <param name="lost">
    /// Told why when another cluster took the root because this silo had given no sign of life; it must not go on.
    /// </param>
    /// <param name="kills">
    /// How often the machine's kernel has ended a process for want of memory; null: as <see cref="MemoryKills"/> counts.
    /// </param>
    /// <exception cref="JobException">
    /// Code <c>root-taken</c>: another cluster lives there. Code <c>storage</c>: the root cannot be written.
    /// </exception>
    public static async Task<RootOwnership> Claim(
        string jobsRoot, RootMark mark, TimeProvider time, Action<string> lost, Func<long?>? kills = null,
        CancellationToken cancelled = default)
    {
        var folder = new RootFolder(jobsRoot);
        RootOwnership? claim = null;
        try
        {
            var held = folder.Lock(mark.Id);
            claim = new RootOwnership(
                folder, mark with { Kernel = held is null ? "" : ThisMachine.Kernel, Owns = false }, held, time, lost,
                kills ?? (() => MemoryKills.Count()));
            await claim.Win(cancelled);
            return claim;
        }
        catch (Exception e)
        {
            if (claim is not null) await claim.DisposeAsync();
            if (e is IOException or UnauthorizedAccessException) throw Broken(jobsRoot, e);
            if (e is OperationCanceledException)
                throw new JobException(ServeErrors.RootTaken, $"told to leave while it checked whether another cluster uses {jobsRoot}.");
            throw;
        }
    }

    /// <summary>Names of the silos of this cluster that keep their jobs in this root.</summary>
    public IReadOnlyCollection<string> Sharers() =>
        [.. folder.Read().Where(other => other.Mark.Key == mark.Key && other.Mark.Id != mark.Id).Select(other => other.Mark.Silo)];

    /// <summary>
    /// Marks of silos of this cluster whose processes have ended on this machine, while its kernel ended one for want of memory. Each is
    /// given out once, to one silo.
    /// </summary>
    public IReadOnlyList<RootMark> TakeStarved()
    {
        List<RootMark> found;
        lock (starved)
        {
            found = [.. starved];
            starved.Clear();
        }

        try
        {
            found.AddRange(folder.Read().Select(other => other.Mark)
                .Where(other => other.Key == mark.Key && other.Id != mark.Id && IsStarved(other) && folder.TryTake(other.Id, mark.Id)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A volume that does not answer has nothing to say of them.
        }

        return found;
    }

    /// <summary>
    /// A process that ends in another way leaves its count as it is; but between its end and this look another one may have been ended.
    /// </summary>
    private bool IsStarved(RootMark other) => other.Kills is { } before && folder.HasEnded(other) && kills() is { } now && now > before;

    /// <summary>A sign of life out of turn, with news.</summary>
    public void Tell() => Beat();

    /// <summary>Gives the root up.</summary>
    public async ValueTask DisposeAsync()
    {
        disposed = true;
        if (timer is not null) await timer.DisposeAsync();
        try
        {
            folder.Remove(mark.Id);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The lock ends with the process, and the mark grows old.
        }

        if (held is not null) await held.DisposeAsync();
    }

    private async Task Win(CancellationToken cancelled)
    {
        folder.Create(mark);
        var seen = new Dictionary<string, (long Beat, long At)>();
        while (true)
        {
            var others = folder.Read().Where(other => other.Mark.Id != mark.Id).ToList();
            foreach (var own in others.Where(other => other.Mark.Key == mark.Key)) RemoveIfOld(own.Mark);
            if (!others.Where(other => other.Mark.Key != mark.Key).ToList().Any(other => IsInTheWay(other.Mark, other.Beat, seen))) break;
            await Task.Delay(LookAgain, time, cancelled);
            if (!folder.Beat(mark, ++beats)) folder.Create(mark);
        }

        mark = mark with { Owns = true };
        Beat();
        timer = time.CreateTimer(_ => Beat(), null, BeatPeriod, BeatPeriod);
    }

    /// <returns>False: it was left, and is taken away.</returns>
    /// <exception cref="JobException">It lives.</exception>
    private bool IsInTheWay(RootMark other, long beat, Dictionary<string, (long Beat, long At)> seen)
    {
        if (folder.HasEnded(other)
            || (seen.TryGetValue(other.Id, out var first) && first.Beat == beat && time.GetElapsedTime(first.At) >= Lease))
        {
            folder.Remove(other.Id);
            return false;
        }

        if (!seen.TryGetValue(other.Id, out first)) seen[other.Id] = (beat, time.GetTimestamp());
        // Of two that come at once the one with the smaller id waits for the other to see it and go.
        else if (beat != first.Beat && (!MayBeLeaving(other) || time.GetElapsedTime(first.At) >= Lease)
            && (other.Owns || string.CompareOrdinal(other.Id, mark.Id) < 0))
            throw Taken(other);
        return true;
    }

    /// <summary>Silos of this cluster whose store was emptied notice it within seconds and end.</summary>
    private bool MayBeLeaving(RootMark other) =>
        other.Clustering != Files && other.Endpoint is null && other.Cluster == mark.Cluster && other.Clustering == mark.Clustering;

    private void RemoveIfOld(RootMark own)
    {
        if (IsStarved(own) && folder.TryTake(own.Id, mark.Id)) lock (starved) starved.Add(own);
        else if (folder.HasEnded(own) || time.GetUtcNow() - folder.ChangedAt(own.Id) > Forgotten) folder.Remove(own.Id);
    }

    private void Beat()
    {
        if (disposed) return;
        try
        {
            if (folder.Beat(mark with { Kills = kills(), Job = Job() }, Interlocked.Increment(ref beats))) return;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A volume that does not answer now may do so the next time; if others saw nothing for too long, the mark is gone then.
            return;
        }

        // It gave the root up itself.
        if (disposed) return;
        lost($"this silo gave no sign of life in the jobs root {folder.JobsRoot} for more than {Lease.TotalSeconds} s, "
            + "and another cluster has taken the root");
    }

    private static JobException Broken(string jobsRoot, Exception e) =>
        new(ErrorCodes.Storage, $"DTRAIN_JOBS_ROOT: {jobsRoot} cannot be used: {e.Message} Check free space, rights and the mount.", e);

    private JobException Taken(RootMark other) => new(
        ServeErrors.RootTaken,
        $"DTRAIN_JOBS_ROOT: {folder.JobsRoot} belongs to another cluster, '{other.Cluster}' (DTRAIN_CLUSTERING={other.Clustering}), "
        + $"whose silo {other.Silo} has run on {other.Host} as process {other.Process} "
        + string.Create(System.Globalization.CultureInfo.InvariantCulture, $"since {other.Since:yyyy-MM-dd HH:mm:ss'Z'}. ")
        + Remedy(other));

    private string Remedy(RootMark other)
    {
        const string Elsewhere = "give this cluster a folder of its own.";
        if (other.Cluster != mark.Cluster) return $"One cluster owns a jobs root: {Elsewhere}";
        if (other.Clustering != mark.Clustering)
            return $"To join it, set DTRAIN_CLUSTERING and what belongs to it as its silos have them; otherwise {Elsewhere}";
        if (other.Clustering == Files) return $"Its silos meet on loopback of {other.Host} only: start this one there, or {Elsewhere}";
        if (other.Endpoint is null)
            return $"It keeps its members in another store: to join it, set DTRAIN_STORE as its silos have it; otherwise {Elsewhere}";
        return folder.Read().Any(m => m.Mark.Key == other.Key && m.Mark.First)
            ? $"To join it, set DTRAIN_PRIMARY={other.Endpoint}; otherwise {Elsewhere}"
            : $"Its first silo at {other.Endpoint} has gone and left this one behind: end process {other.Process}, then start again.";
    }
}
