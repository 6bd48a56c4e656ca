namespace Distributed.Core.Jobs;

/// <summary>A worker's number within one generation, 0 to world size - 1.</summary>
[System.Text.Json.Serialization.JsonConverter(typeof(RankJson))]
public readonly record struct Rank(int Value)
{
    public override string ToString() => Value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
