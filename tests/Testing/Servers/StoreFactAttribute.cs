namespace Distributed.Testing.Servers;

/// <summary>A fact that needs a store's server; skipped with the reason where this machine has none.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class StoreFactAttribute : FactAttribute
{
    public StoreFactAttribute(string store) =>
        Skip = store switch { "redis" => InstalledProgram.WhyNoRedis, "postgres" => InstalledProgram.WhyNoPostgres, _ => null };
}
