namespace Distributed.Grains.Queue;

/// <summary>How the queue weighs waiting against filling free slots.</summary>
public sealed record QueueOptions
{
    /// <summary>How long others may overtake a job that does not fit; after it, slots are kept for that job until it does.</summary>
    /// <value>1 minute.</value>
    public TimeSpan Patience { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Waiting this long counts like one more point of priority, so that no priority starves another.</summary>
    /// <value>5 minutes.</value>
    public TimeSpan Aging { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// How long a job runs on fewer ranks than it can use, and the same silos are free, before these are offered to it: widening costs a
    /// checkpoint and a start.
    /// </summary>
    /// <value>10 seconds.</value>
    public TimeSpan Settled { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>A job that waits for silos takes those of jobs of lower priority, which write a checkpoint and line up again.</summary>
    /// <value>False.</value>
    public bool Preempts { get; set; }

    /// <summary>How long silos that jobs were asked to leave for another are kept for that one, before somebody else is helped.</summary>
    /// <value>2 minutes.</value>
    public TimeSpan Claim { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>Least time between two widenings of one job; each that brought no more ranks doubles it.</summary>
    /// <value>1 minute.</value>
    public TimeSpan BetweenWidenings { get; set; } = TimeSpan.FromMinutes(1);
}
