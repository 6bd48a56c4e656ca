using System.Text.Json.Serialization;
using Distributed.Client.Outcomes;

namespace Distributed.Client.LocalCluster;

/// <summary>What a cluster of this machine is to be.</summary>
/// <param name="Silos">Number of silo processes.</param>
/// <param name="Slots">Ranks that each runs without sharing a core.</param>
internal sealed record ClusterLayout(int Silos, int Slots)
{
    /// <param name="before">As it was started last; null: never.</param>
    /// <param name="running">Silos that run now.</param>
    /// <param name="silos">Asked for; null: as before, or one.</param>
    /// <param name="slots">Asked for; null: as before, or an even share of the cores.</param>
    /// <exception cref="CommandFailure">Silos that run would have to end, or to be others.</exception>
    public static ClusterLayout Decide(ClusterLayout? before, int running, int? silos, int? slots, int cores)
    {
        if (running > 0 && before is not null)
        {
            if (slots is { } other && other != before.Slots)
                throw new CommandFailure(
                    ExitCode.Usage,
                    $"--slots: found {other}, but the silos that run have {before.Slots} each. "
                    + "'dtrain cluster down' ends them; then start again.");
            if (silos is { } fewer && fewer < before.Silos)
                throw new CommandFailure(
                    ExitCode.Usage,
                    $"--silos: found {fewer}, but a cluster of {before.Silos} runs. 'dtrain cluster down' ends it; then start again.");
            return before with { Silos = silos ?? before.Silos };
        }

        var count = silos ?? before?.Silos ?? 1;
        return new(count, slots ?? (silos is null || silos == before?.Silos ? before?.Slots : null) ?? Math.Max(1, cores / count));
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ClusterLayout))]
internal sealed partial class ClusterLayoutJson : JsonSerializerContext;
