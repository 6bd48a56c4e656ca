using Distributed.Grains.Jobs;
using Distributed.Silo.Serve;

namespace Distributed.Silo.Jobs.Journals;

/// <summary>Journals as files under the jobs root, which all silos of a cluster share.</summary>
internal sealed class FileJournals(ServeSettings settings) : IJobJournals
{
    public async Task<IJobJournal> Open(string jobId, JournalKind kind) =>
        await FileJournal.Open(Path.Combine(settings.JobsRoot, jobId, "journal"), kind == JournalKind.Events ? "events" : "diary");

    public Task Delete(string jobId)
    {
        var own = Path.Combine(settings.JobsRoot, jobId);
        try
        {
            // Links in it are removed, not followed.
            if (Directory.Exists(own)) Directory.Delete(own, recursive: true);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException(e.Message, e);
        }

        return Task.CompletedTask;
    }
}
