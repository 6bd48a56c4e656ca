using Distributed.Core.Events;
using Distributed.Core.Spec;
using Distributed.Grains.Contracts;

namespace Distributed.Silo.Tests;

/// <summary>Jobs that are submitted and followed through their grains.</summary>
internal static class GrainJobs
{
    private static readonly TimeSpan LongestPoll = TimeSpan.FromSeconds(10);

    /// <summary>Trains a job to its end and returns its events.</summary>
    public static async Task<IReadOnlyList<JobEvent>> Train(IGrainFactory grains, string id, JobSpec spec, RunOptions options)
    {
        var job = grains.GetGrain<IJobGrain>(id);
        Assert.Equal(new SubmitOutcome(SubmitResult.Created), await job.Submit(new JobSubmission(JobSpecJson.Write(spec), options)));
        List<JobEvent> events = [];
        EventPage page;
        do
        {
            page = (await job.ReadEvents(events.Count, 4096, LongestPoll))!;
            events.AddRange(page.Events.Select(e => JobEventJson.Read(e.Json)!));
        }
        while (!page.Final);
        return events;
    }
}
