using Distributed.Grains.Contracts;

namespace Distributed.Testing.Training;

/// <summary>Who asks, where a test is about something else.</summary>
internal static class Callers
{
    public static JobCaller Admin { get; } = new("", IsAdmin: true);
}
