namespace Distributed.Grains.Contracts;

/// <summary>The phases of a job's life; the last three are final.</summary>
public enum JobPhase
{
    /// <summary>Nothing was submitted under this id.</summary>
    Absent,
    Queued,
    Running,
    Completed,
    Stopped,
    Failed,
}

/// <summary>Words about phases.</summary>
public static class JobPhases
{
    public static bool IsFinal(this JobPhase phase) => phase >= JobPhase.Completed;
}
