using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Core.Spec;
using Distributed.Grains.Contracts;

namespace Distributed.Bench.Cluster;

/// <summary>A job that is submitted and followed through its grain.</summary>
internal static class BenchJob
{
    private static readonly TimeSpan LongestPoll = TimeSpan.FromSeconds(10);

    /// <summary>Trains a job to its end and returns its events.</summary>
    /// <exception cref="JobException">The job was refused or failed.</exception>
    public static async Task<IReadOnlyList<JobEvent>> Train(
        IGrainFactory grains, string id, JobSpec spec, RunOptions options, CancellationToken cancel)
    {
        var job = grains.GetGrain<IJobGrain>(id);
        var outcome = await job.Submit(new JobSubmission(JobSpecJson.Write(spec), options));
        if (outcome.Result != SubmitResult.Created) throw new JobException(ErrorCodes.SpecInvalid, outcome.Message!);
        var events = new List<JobEvent>();
        while (true)
        {
            var page = (await job.ReadEvents(events.Count, 4096, LongestPoll).WaitAsync(cancel))!;
            events.AddRange(page.Events.Select(e => JobEventJson.Read(e.Json)!));
            if (page.Final) break;
        }
        return events[^1] is FailedEvent failed ? throw new JobException(failed.Error.Code, failed.Error.Message) : events;
    }
}
