namespace Distributed.Grains.Devices;

/// <summary>How the queue weighs waiting against filling free slots.</summary>
public sealed record QueueOptions
{
    /// <summary>How long others may overtake a job that does not fit; after it, slots are kept for that job until it does.</summary>
    /// <value>1 minute.</value>
    public TimeSpan Patience { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Waiting this long counts like one more point of priority, so that no priority starves another.</summary>
    /// <value>5 minutes.</value>
    public TimeSpan Aging { get; set; } = TimeSpan.FromMinutes(5);
}
