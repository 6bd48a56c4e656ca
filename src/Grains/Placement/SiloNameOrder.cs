namespace Distributed.Grains.Placement;

/// <summary>Orders names of silos by their words, then by the number they end with: silo-10 comes after silo-9.</summary>
internal sealed class SiloNameOrder : IComparer<string>
{
    public static SiloNameOrder Instance { get; } = new();

    public int Compare(string? x, string? y)
    {
        var (left, right) = (Split(x ?? ""), Split(y ?? ""));
        var words = string.CompareOrdinal(left.Words, right.Words);
        if (words != 0) return words;
        // Without leading zeros the longer number is the larger one, however many digits it has.
        var length = left.Number.Length.CompareTo(right.Number.Length);
        var number = length != 0 ? length : string.CompareOrdinal(left.Number, right.Number);
        return number != 0 ? number : string.CompareOrdinal(x, y);
    }

    private static (string Words, string Number) Split(string name)
    {
        var words = name.TrimEnd('0', '1', '2', '3', '4', '5', '6', '7', '8', '9');
        return (words, name[words.Length..].TrimStart('0'));
    }
}
