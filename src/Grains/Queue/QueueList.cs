using System.Collections.Immutable;
using System.Globalization;
using Distributed.Core.Jobs;
using Orleans.Runtime;
using Orleans.Storage;

namespace Distributed.Grains.Queue;

/// <summary>All jobs of the cluster, stored in pages: what a change writes does not grow with their number.</summary>
/// <param name="head">How many pages there are.</param>
/// <param name="storage">Of the pages; each knows itself whether another activation wrote it in between.</param>
internal sealed class QueueList(IPersistentState<QueueRecord> head, IGrainStorage storage) : IDisposable
{
    public const int PageSize = 100;

    private const string StateName = "queue-page";

    private readonly SemaphoreSlim writing = new(1);
    private readonly List<GrainState<QueuePage>> pages = [];
    private readonly Dictionary<JobId, int> pageOf = [];

    /// <value>In the order in which they first lined up.</value>
    public IEnumerable<QueueEntry> Jobs => pages.SelectMany(page => page.State!.Jobs);

    /// <summary>Reads all pages, and puts a list of an earlier version, which was one record, into pages.</summary>
    public async Task Open()
    {
        var old = head.State.Jobs.IsDefault ? [] : head.State.Jobs;
        var count = old.IsEmpty ? head.State.Pages : (old.Length + PageSize - 1) / PageSize;
        pages.AddRange(Enumerable.Range(0, count).Select(_ => new GrainState<QueuePage>(new QueuePage())));
        await Task.WhenAll(pages.Select((page, number) => storage.ReadStateAsync(StateName, IdOf(number), page)));
        if (!old.IsEmpty)
        {
            for (var number = 0; number < count; number++)
            {
                pages[number].State = new QueuePage { Jobs = [.. old.Skip(number * PageSize).Take(PageSize)] };
                await storage.WriteStateAsync(StateName, IdOf(number), pages[number]);
            }

            head.State = new QueueRecord { Pages = count };
            await head.WriteStateAsync();
        }

        for (var number = 0; number < count; number++)
        {
            var page = pages[number].State!;
            if (page.Jobs.Any(IsNone)) pages[number].State = page with { Jobs = page.Jobs.RemoveAll(IsNone) };
            foreach (var job in pages[number].State!.Jobs) pageOf[job.JobId] = number;
        }

        // The page is written without it at its next change.
        static bool IsNone(QueueEntry entry) => entry.JobId == default;
    }

    /// <summary>Adds or changes a job.</summary>
    /// <param name="user">Null: as known.</param>
    public Task Set(JobId jobId, bool ended, string? user = null) => Set(jobId, ended, user, add: true);

    /// <summary>Notes the end of a job; one that was taken off the list stays off.</summary>
    public Task End(JobId jobId) => Set(jobId, ended: true, user: null, add: false);

    public Task Remove(JobId jobId) => Change(async () =>
    {
        if (!pageOf.TryGetValue(jobId, out var number)) return;
        var jobs = pages[number].State!.Jobs;
        await Write(number, jobs.RemoveAt(IndexOf(jobs, jobId)));
        pageOf.Remove(jobId);
    });

    public void Dispose() => writing.Dispose();

    private Task Set(JobId jobId, bool ended, string? user, bool add) => Change(async () =>
    {
        if (pageOf.TryGetValue(jobId, out var number))
        {
            var jobs = pages[number].State!.Jobs;
            var at = IndexOf(jobs, jobId);
            var entry = new QueueEntry(jobId, ended) { User = user ?? jobs[at].User ?? "" };
            if (jobs[at] != entry) await Write(number, jobs.SetItem(at, entry));
            return;
        }

        if (!add) return;
        number = await LastPage();
        await Write(number, pages[number].State!.Jobs.Add(new QueueEntry(jobId, ended) { User = user ?? "" }));
        pageOf[jobId] = number;
    });

    /// <summary>One that has room. It is counted before it is written, so that nothing can be in a page that nobody reads.</summary>
    private async Task<int> LastPage()
    {
        if (pages.Count > 0 && pages[^1].State!.Jobs.Length < PageSize) return pages.Count - 1;
        var before = head.State;
        head.State = new QueueRecord { Pages = pages.Count + 1 };
        try
        {
            await head.WriteStateAsync();
        }
        catch
        {
            head.State = before;
            throw;
        }

        pages.Add(new GrainState<QueuePage>(new QueuePage()));
        return pages.Count - 1;
    }

    /// <summary>What could not be written never was.</summary>
    private async Task Write(int number, ImmutableArray<QueueEntry> jobs)
    {
        var page = pages[number];
        var before = page.State;
        page.State = new QueuePage { Jobs = jobs };
        try
        {
            await storage.WriteStateAsync(StateName, IdOf(number), page);
        }
        catch (Exception e)
        {
            page.State = before;
            if (e is OrleansException) throw;
            // As the state of a grain fails, so that callers need to know one kind.
            throw new OrleansException($"The list of jobs could not be written: {e.Message}", e);
        }
    }

    /// <summary>One write at a time: the queue's calls interleave.</summary>
    private async Task Change(Func<Task> work)
    {
        await writing.WaitAsync();
        try
        {
            await work();
        }
        finally
        {
            writing.Release();
        }
    }

    private static int IndexOf(ImmutableArray<QueueEntry> jobs, JobId jobId)
    {
        for (var i = 0; i < jobs.Length; i++)
            if (jobs[i].JobId == jobId) return i;
        return -1;
    }

    private static GrainId IdOf(int page) => GrainId.Create("jobqueuepage", page.ToString(CultureInfo.InvariantCulture));
}
