namespace Distributed.Training.Ranks;

/// <summary>Where a rank is, for the message in case it fails there.</summary>
internal sealed class RankPhase
{
    public string Name { get; set; } = "start";

    public long Step { get; set; }
}
