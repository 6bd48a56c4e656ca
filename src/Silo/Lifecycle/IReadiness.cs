namespace Distributed.Silo.Lifecycle;

/// <summary>Whether this silo can take ranks.</summary>
internal interface IReadiness
{
    /// <returns>The answer and one line that says why.</returns>
    Task<(bool Ready, string Words)> Check();
}
