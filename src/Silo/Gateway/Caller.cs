using Distributed.Core.Users;
using Distributed.Grains.Contracts;
using Grpc.Core;

namespace Distributed.Silo.Gateway;

/// <summary>Who makes a call, as the token told.</summary>
/// <param name="Name">Empty for the one client of a silo of its own.</param>
/// <param name="MaxPriority">Largest priority the user may give a job.</param>
internal sealed record Caller(string Name, UserRole Role, int MaxPriority)
{
    private static readonly object Key = new();

    /// <exception cref="InvalidOperationException">The call asked for no token.</exception>
    public static Caller Of(ServerCallContext context) =>
        context.GetHttpContext().Items[Key] is Caller caller
            ? caller
            : throw new InvalidOperationException($"{context.Method}: nobody asked who calls.");

    public JobCaller ForJobs() => new(Name, Role == UserRole.Admin);

    public void Enter(HttpContext context) => context.Items[Key] = this;
}
