using System.Globalization;
using System.Text.Json.Serialization;

namespace Distributed.Core.Jobs;

/// <summary>One run of a job on the silos that it was given, 1, 2, 3, ...; when they are lost or taken away, the next one begins.</summary>
[JsonConverter(typeof(GenerationJson))]
public readonly record struct Generation(int Value) : IComparable<Generation>
{
    /// <summary>Of a job that has not run yet.</summary>
    public static readonly Generation None;

    public static readonly Generation First = None.Next;

    public Generation Next => new(Value + 1);

    public static bool operator <(Generation left, Generation right) => left.Value < right.Value;

    public static bool operator >(Generation left, Generation right) => left.Value > right.Value;

    public static bool operator <=(Generation left, Generation right) => left.Value <= right.Value;

    public static bool operator >=(Generation left, Generation right) => left.Value >= right.Value;

    public int CompareTo(Generation other) => Value.CompareTo(other.Value);

    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);
}
