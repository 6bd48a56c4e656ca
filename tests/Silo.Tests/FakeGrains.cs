using System.Reflection;
using Distributed.Grains.Contracts;

namespace Distributed.Silo.Tests;

/// <summary>An Orleans interface of which a test answers the few calls that are made.</summary>
public class FakeGrains : DispatchProxy
{
    private Func<MethodInfo, object?[], object?> answer = null!;

    public static T Of<T>(Func<MethodInfo, object?[], object?> answer)
        where T : class
    {
        var made = Create<T, FakeGrains>();
        ((FakeGrains)(object)made).answer = answer;
        return made;
    }

    /// <summary>A way to jobs, and to one grain of another kind.</summary>
    internal static IGrainFactory WithJobs(Func<string, IJobGrain> job, object? other = null) =>
        Of<IGrainFactory>((method, arguments) => method.GetGenericArguments()[0] == typeof(IJobGrain) ? job((string)arguments[0]!) : other);

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => answer(targetMethod!, args ?? []);
}
