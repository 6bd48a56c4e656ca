using Distributed.Core.Values;

namespace Distributed.Core.Documents;

/// <summary>Changes a job's text setting by setting, as <c>--set optimizer.lr=0.01</c> does.</summary>
public static class SpecOverrides
{
    private const int LongestShown = 200;

    /// <summary>The text with one setting replaced or added; sections on the way are made.</summary>
    /// <param name="assignment">A dotted path, =, and a value: a scalar or a list such as [0.9, 0.99]; null unsets.</param>
    public static SpecNodeResult Apply(SpecNode root, string assignment)
    {
        var at = new SpecPosition(0, 0, $"--set {PlainText.Show(assignment, LongestShown)}");
        var split = assignment.IndexOf('=', StringComparison.Ordinal);
        var path = split < 0 ? [] : assignment[..split].Trim().Split('.');
        if (path.Length == 0 || path.Any(string.IsNullOrWhiteSpace))
            return SpecNodeResult.Failed(at, "", "expected key=value with a dotted key, such as optimizer.lr=0.01");
        if (path.Length > SpecBounds.DeepestNesting)
            return SpecNodeResult.Failed(
                at, "", FormattableString.Invariant($"found a path of {path.Length} keys, expected at most {SpecBounds.DeepestNesting}"));
        if (path.Select(SpecBounds.KeyFault).FirstOrDefault(fault => fault is not null) is { } fault)
            return SpecNodeResult.Failed(at, "", fault);
        try
        {
            var value = FlowValue.Parse(assignment[(split + 1)..], at);
            return SpecNodeResult.Of(Set(root, path, value, at));
        }
        catch (FormatException e)
        {
            return SpecNodeResult.Failed(at, string.Join('.', path), e.Message);
        }
    }

    private static SpecNode Set(SpecNode node, ReadOnlySpan<string> path, SpecNode value, SpecPosition at)
    {
        if (path.IsEmpty) return value;
        var key = path[0];
        var map = node switch
        {
            SpecNode.Map found => found,
            SpecNode.Scalar { IsNull: true } => new(at, []),
            _ => throw new FormatException($"{key} would be inside {SpecDescription.Of(node)}, expected a mapping there"),
        };
        var entries = map.Entries.ToList();
        var index = entries.FindIndex(entry => entry.Key == key);
        var inner = index < 0 ? new SpecNode.Map(at, []) : entries[index].Value;
        var changed = new SpecNode.Entry(index < 0 ? at : entries[index].At, key, Set(inner, path[1..], value, at));
        if (index < 0) entries.Add(changed);
        else entries[index] = changed;
        return map with { Entries = entries };
    }
}
