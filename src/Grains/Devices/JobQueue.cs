namespace Distributed.Grains.Devices;

/// <summary>A job that wants silos.</summary>
/// <param name="Silos">Silos it wants at once.</param>
/// <param name="MinSlots">Slots they must have in all; 0 when they may share cores.</param>
[GenerateSerializer, Immutable]
public sealed record QueuedJob([property: Id(0)] string JobId, [property: Id(1)] int Silos, [property: Id(2)] int MinSlots);

/// <summary>First come, first served: only the head may take silos, so a big job is never overtaken for ever.</summary>
internal sealed class JobQueue
{
    private readonly List<QueuedJob> waiting = [];

    public QueuedJob? Head => waiting.Count == 0 ? null : waiting[0];

    /// <summary>Adds a job at the end unless it waits already.</summary>
    public void Add(QueuedJob job)
    {
        if (!waiting.Exists(w => w.JobId == job.JobId)) waiting.Add(job);
    }

    /// <returns>Whether the job was waiting.</returns>
    public bool Remove(string jobId) => waiting.RemoveAll(w => w.JobId == jobId) > 0;
}
