using Distributed.Core.Users;
using Distributed.Protocol.V1;

namespace Distributed.Silo.Gateway;

/// <summary>The least role for each call of the gRPC endpoint.</summary>
internal static class CallRights
{
    private const string Health = "/grpc.health.v1.Health/";
    private const string Reflection = "/grpc.reflection.";

    private static readonly Dictionary<string, UserRole> Needed = new()
    {
        [nameof(Protocol.V1.Jobs.JobsBase.Get)] = UserRole.View,
        [nameof(Protocol.V1.Jobs.JobsBase.List)] = UserRole.View,
        [nameof(Protocol.V1.Jobs.JobsBase.Watch)] = UserRole.View,
        [nameof(Protocol.V1.Jobs.JobsBase.Logs)] = UserRole.View,
        [nameof(Protocol.V1.Jobs.JobsBase.Why)] = UserRole.View,
        [nameof(Protocol.V1.Jobs.JobsBase.Cluster)] = UserRole.View,
        // Of these a user who is no admin may change only jobs of his own: see JobCaller.
        [nameof(Protocol.V1.Jobs.JobsBase.Submit)] = UserRole.Submit,
        [nameof(Protocol.V1.Jobs.JobsBase.Stop)] = UserRole.Submit,
        [nameof(Protocol.V1.Jobs.JobsBase.Resume)] = UserRole.Submit,
        [nameof(Protocol.V1.Jobs.JobsBase.Scale)] = UserRole.Submit,
        [nameof(Protocol.V1.Jobs.JobsBase.Delete)] = UserRole.Submit,
        [nameof(Protocol.V1.Jobs.JobsBase.Drain)] = UserRole.Admin,
    };

    /// <param name="method">Full name, such as <c>/dtrain.v1.Jobs/Get</c>.</param>
    /// <returns>Null: open to everyone, without a token.</returns>
    public static UserRole? Of(string method)
    {
        if (method.StartsWith(Health, StringComparison.Ordinal)) return null;
        if (method.StartsWith(Reflection, StringComparison.Ordinal)) return UserRole.View;
        var jobs = $"/{Protocol.V1.Jobs.Descriptor.FullName}/";
        return method.StartsWith(jobs, StringComparison.Ordinal) && Needed.TryGetValue(method[jobs.Length..], out var role)
            ? role
            : UserRole.Admin;
    }
}
