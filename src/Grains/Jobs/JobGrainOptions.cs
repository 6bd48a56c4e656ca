namespace Distributed.Grains.Jobs;

/// <summary>Bounds of the jobs of a cluster.</summary>
public sealed record JobGrainOptions
{
    /// <summary>Longest wait at a step for the silos that have not voted.</summary>
    /// <value>1 minute; a job's own <c>workers.stepDeadline</c> goes before it.</value>
    public TimeSpan StepDeadline { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Longest wait for the silos that have not come to a generation's first meeting: until then each reads its data.</summary>
    /// <value>5 minutes, or five of the job's step deadlines when that is longer.</value>
    public TimeSpan MeetDeadline { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// How long a job that was stopped, or that is over its limit, may take for the step in flight and its checkpoint; then
    /// its ranks are ended.
    /// </summary>
    /// <value>10 seconds.</value>
    public TimeSpan StopPatience { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How often a job that runs looks at what it has on disk, where its user has a quota for that.</summary>
    /// <value>20 seconds.</value>
    public TimeSpan WeighPeriod { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>Longest wait of a reader for the next line of a job; it asks again.</summary>
    /// <value>20 seconds.</value>
    public TimeSpan LongestPoll { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>Events of a job kept for watchers; older ones are forgotten.</summary>
    /// <value>200,000.</value>
    public int EventsKept { get; set; } = 200_000;
}
