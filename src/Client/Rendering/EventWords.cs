using Distributed.Core.Events;

namespace Distributed.Client.Rendering;

/// <summary>Events that are told in a line of their own.</summary>
internal static class EventWords
{
    /// <returns>Null for the others.</returns>
    public static string? Describe(JobEvent news) => news switch
    {
        WarningEvent warning => $"warning: {warning.Message}",
        GenerationEvent generation => $"generation {generation.Number}: {generation.Reason}; {Places(generation.Ranks)}",
        StartedEvent { Generation.Value: > 1 } started => $"generation {started.Generation}: {Places(started.Ranks)}",
        _ => null,
    };

    private static string Places(IReadOnlyList<RankPlace> ranks) =>
        ranks.Count == 0
            ? "no ranks"
            : $"{ranks.Count} {(ranks.Count == 1 ? "rank" : "ranks")} on {string.Join(", ", ranks.Select(rank => rank.Silo).Distinct())}";
}
