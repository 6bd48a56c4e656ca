using System.Collections.Concurrent;
using System.Collections.Immutable;
using Distributed.Core.Jobs;
using Distributed.Grains.Contracts;

namespace Distributed.Grains.Tests.Cluster;

/// <summary>Lines that outlive every silo of this process; full or broken on demand.</summary>
internal sealed class FakeJournals : IJobJournals
{
    private readonly ConcurrentDictionary<(string, JournalKind), List<string>> lines = new();

    public bool IsFull { get; set; }

    /// <summary>The job whose journals cannot be opened.</summary>
    public string? Broken { get; set; }

    public Task<IJobJournal> Open(JobId jobId, JournalKind kind) => jobId.ToString() == Broken
        ? Task.FromException<IJobJournal>(new IOException("The journal cannot be read."))
        : Task.FromResult<IJobJournal>(new Journal(this, lines.GetOrAdd((jobId.ToString(), kind), _ => [])));

    /// <summary>What jobs' folders say; changed by tests.</summary>
    public ConcurrentDictionary<string, KeptJob> Folders { get; } = new();

    public Task Keep(JobId jobId, JobSubmission submission)
    {
        if (IsFull) throw new IOException("The disk is full.");
        Folders[jobId.ToString()] = new KeptJob("dtrain", submission);
        return Task.CompletedTask;
    }

    public Task<KeptJob?> Recall(JobId jobId) => Task.FromResult(Folders.GetValueOrDefault(jobId.ToString()));

    /// <summary>Bytes of jobs' folders; changed by tests.</summary>
    public ConcurrentDictionary<string, long> Sizes { get; } = new();

    /// <summary>Until this has completed, nobody learns what a folder holds.</summary>
    public Task Answers { get; set; } = Task.CompletedTask;

    public async Task<long> Size(JobId jobId)
    {
        await Answers;
        return Sizes.GetValueOrDefault(jobId.ToString());
    }

    public Task Delete(JobId jobId)
    {
        Folders.TryRemove(jobId.ToString(), out _);
        foreach (var kind in Enum.GetValues<JournalKind>()) lines.TryRemove((jobId.ToString(), kind), out _);
        return Task.CompletedTask;
    }

    private sealed class Journal(FakeJournals all, List<string> lines) : IJobJournal
    {
        private bool begun;

        public long End => lines.Count;

        public long Epoch => 0;

        public Task Begin(long epoch)
        {
            begun = true;
            return Task.CompletedTask;
        }

        public Task Append(IReadOnlyList<string> added)
        {
            if (!begun) throw new InvalidOperationException("A journal is written to after it was begun.");
            if (all.IsFull) throw new IOException("The disk is full.");
            lines.AddRange(added);
            return Task.CompletedTask;
        }

        public Task<ImmutableArray<string>> Read(long from, int count) =>
            Task.FromResult<ImmutableArray<string>>([.. lines.Skip((int)from).Take(count)]);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
