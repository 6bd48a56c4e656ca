namespace Distributed.Grains.Contracts;

/// <summary>What the operator lets each user have at once.</summary>
public interface IUserQuotas
{
    /// <summary>Quotas may change while the cluster runs; each call returns the current ones.</summary>
    UserQuota Of(string user);
}

/// <param name="Ranks">Ranks that all running jobs of the user may have together; null: no bound.</param>
/// <param name="Jobs">Jobs that may run at once; null: no bound.</param>
/// <param name="Queued">Jobs that may wait in the queue; null: no bound.</param>
/// <param name="Run">How long the ranks of one job may run; null: no bound.</param>
/// <param name="Disk">Bytes that the user's jobs may take on the jobs' volume together; null: no bound.</param>
public readonly record struct UserQuota(int? Ranks, int? Jobs, int? Queued = null, TimeSpan? Run = null, long? Disk = null);

/// <summary>No bounds for anyone.</summary>
public sealed class NoQuotas : IUserQuotas
{
    public UserQuota Of(string user) => default;
}
