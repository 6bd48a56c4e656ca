using Distributed.Core.Jobs;

namespace Distributed.Training.Ranks;

/// <summary>A wait for a rank outlived its deadline; the rank at fault is the one that is missing, not the one that waited.</summary>
internal sealed class StalledRankException(Rank rank, string message) : Exception(message)
{
    public Rank Rank { get; } = rank;
}
