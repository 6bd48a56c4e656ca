using Distributed.Core.Checkpoints;
using Distributed.Core.Jobs;
using Distributed.Core.Machine;
using Distributed.Grains.Contracts;
using Distributed.Silo.Settings;

namespace Distributed.Silo.Folders;

/// <summary>
/// Journals as files under the jobs root, which all silos of a cluster share; a job's folder names the cluster that it belongs to.
/// </summary>
internal sealed class FileJournals(ServeSettings settings, JobPaths paths) : IJobJournals
{
    public async Task<IJobJournal> Open(JobId jobId, JournalKind kind) =>
        await FileJournal.Open(Path.Combine(FolderOf(jobId), "journal"), kind == JournalKind.Events ? "events" : "diary");

    public Task Keep(JobId jobId, JobSubmission submission) => Guard(() =>
    {
        Directory.CreateDirectory(FolderOf(jobId));
        PathFence.Demand(FolderOf(jobId));
        Storage.Replace(
            FolderOf(jobId), KeptSubmission.FileName, $"{KeptSubmission.FileName}.{Guid.NewGuid():N}.tmp",
            KeptSubmission.Of(settings.ClusterId, submission).Write());
        return 0;
    });

    public Task<KeptJob?> Recall(JobId jobId) => Guard(() =>
    {
        if (!Directory.Exists(FolderOf(jobId))) return null;
        if (!File.Exists(FileOf(jobId)))
            return Directory.EnumerateFileSystemEntries(FolderOf(jobId)).Any() ? new KeptJob(null, null) : null;
        var kept = KeptSubmission.Read(FileOf(jobId));
        return new KeptJob(kept.Cluster, kept.Cluster == settings.ClusterId ? kept.Submission : null);
    });

    // Off the turn of the grain that asks: a volume may be slow, or hang.
    public Task<long> Size(JobId jobId) => Task.Run(() => Guard(() =>
    {
        DirectoryInfo folder = new(FolderOf(jobId));
        // Links are passed over, and what goes away meanwhile counts as nothing.
        return folder.Exists
            ? folder.EnumerateFiles("*", new EnumerationOptions
            {
                RecurseSubdirectories = true,
                AttributesToSkip = FileAttributes.ReparsePoint,
                IgnoreInaccessible = true,
            }).Sum(LengthOf)
            : 0;
    }));

    public Task Delete(JobId jobId) => Guard(() =>
    {
        var folder = FolderOf(jobId);
        if (File.Exists(FileOf(jobId)) && KeptSubmission.Read(FileOf(jobId)).Cluster is var owner && owner != settings.ClusterId)
            throw new IOException($"{folder} belongs to cluster '{owner}'");
        // Links in it are removed, not followed.
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        return 0;
    });

    /// <summary>Ids of the jobs of this cluster that have a folder.</summary>
    /// <param name="unreadable">
    /// Gets the name of a folder that does not say whose it is, or that is no id, and why; null: it is left out.
    /// </param>
    public IEnumerable<JobId> Kept(Action<string, IOException>? unreadable = null)
    {
        if (!Directory.Exists(settings.JobsRoot)) yield break;
        foreach (var name in Directory.EnumerateDirectories(settings.JobsRoot).Select(folder => Path.GetFileName(folder)!))
        {
            // The silos' own.
            if (name.StartsWith('.') || !IsOwn(name, unreadable)) continue;
            if (JobId.TryParse(name, out var id)) yield return id;
            else unreadable?.Invoke(name, new IOException($"its name is no id: {JobId.Misfit(name)}"));
        }
    }

    private static long LengthOf(FileInfo file)
    {
        try
        {
            return file.Length;
        }
        catch (FileNotFoundException)
        {
            return 0;
        }
    }

    private bool IsOwn(string name, Action<string, IOException>? unreadable)
    {
        var file = Path.Combine(settings.JobsRoot, name, KeptSubmission.FileName);
        try
        {
            return File.Exists(file) && KeptSubmission.Read(file).Cluster == settings.ClusterId;
        }
        catch (IOException e)
        {
            unreadable?.Invoke(name, e);
            return false;
        }
    }

    private string FolderOf(JobId jobId) => paths.FolderOf(jobId);

    private string FileOf(JobId jobId) => Path.Combine(FolderOf(jobId), KeptSubmission.FileName);

    private static Task<T> Guard<T>(Func<T> work)
    {
        try
        {
            return Task.FromResult(work());
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException(e.Message, e);
        }
    }
}
