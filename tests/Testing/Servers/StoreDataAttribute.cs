using System.Reflection;
using Xunit.Sdk;

namespace Distributed.Testing.Servers;

/// <summary>One row of a theory: a store that this machine has, or the reason why it is skipped.</summary>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
internal sealed class StoreDataAttribute : DataAttribute
{
    private readonly string store;

    public StoreDataAttribute(string store)
    {
        this.store = store;
        Skip = store switch { "redis" => InstalledProgram.WhyNoRedis, "postgres" => InstalledProgram.WhyNoPostgres, _ => null };
    }

    public override IEnumerable<object[]> GetData(MethodInfo testMethod) => [[store]];
}
