using Distributed.Core.Jobs;

namespace Distributed.Grains.Contracts;

/// <summary>The grains of jobs by their ids.</summary>
public static class JobGrains
{
    public static IJobGrain GetJob(this IGrainFactory grains, JobId id) => grains.GetGrain<IJobGrain>(id.ToString());
}
