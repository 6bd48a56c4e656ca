namespace Distributed.Core.Documents;

/// <summary>What is wrong with a text: the first <see cref="SpecBounds.MostErrors"/> errors, and how many more there are.</summary>
public sealed class SpecErrors
{
    private readonly List<SpecError> kept = [];
    private int more;

    public int Count => kept.Count + more;

    /// <summary>What is added now is only counted.</summary>
    public bool IsFull => kept.Count >= SpecBounds.MostErrors;

    public void Add(SpecError error)
    {
        if (IsFull) more++;
        else kept.Add(error);
    }

    /// <summary>Counts an error that need not be worded: it would not be kept.</summary>
    public void Pass() => more++;

    public void AddRange(IEnumerable<SpecError> errors)
    {
        foreach (var error in errors) Add(error);
    }

    /// <summary>Adds to the words of the last error, if it was kept.</summary>
    public void AppendToLast(string text)
    {
        if (more == 0 && kept.Count > 0) kept[^1] = kept[^1] with { Message = kept[^1].Message + text };
    }

    /// <summary>In the order of the text, what stands elsewhere at the end; last how many more there are.</summary>
    public IReadOnlyList<SpecError> ToList()
    {
        List<SpecError> list = [.. kept.OrderBy(e => e.At.Source is null ? 0 : 1).ThenBy(e => e.Line).ThenBy(e => e.Column)];
        if (more > 0) list.Add(new(default, "", FormattableString.Invariant($"{more} more errors are not shown")));
        return list;
    }
}
