using Distributed.Core.Documents;

namespace Distributed.Core.Spec;

/// <summary>A setting that differs between two jobs; null where one of them does not have it.</summary>
public sealed record SpecDifference(string Path, string? Saved, string? Now)
{
    public override string ToString() => $"{Path}: {Saved ?? "absent"} in the checkpoint, {Now ?? "absent"} now";
}

/// <summary>Compares a job with the one that a checkpoint was written by.</summary>
public static class JobSpecDiff
{
    private static readonly HashSet<string> FreeToChange = new(
        ["steps", "epochs", "workers", "exchange", "checkpoint", "evaluate", "limits"], StringComparer.Ordinal);

    /// <summary>
    /// What differs though a resumed job may not change it; length, workers, exchange, checkpoints, evaluation and limits may.
    /// </summary>
    public static IReadOnlyList<SpecDifference> ForResume(JobSpec saved, JobSpec now)
    {
        var (before, after) = (Settings(saved), Settings(now));
        return
        [
            .. before.Keys.Union(after.Keys, StringComparer.Ordinal)
                .Select(path => new SpecDifference(path, before.GetValueOrDefault(path), after.GetValueOrDefault(path)))
                .Where(difference => difference.Saved != difference.Now),
        ];
    }

    private static Dictionary<string, string> Settings(JobSpec spec)
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal);
        var root = (SpecNode.Map)JsonSpecNodes.Parse(JobSpecJson.Write(spec)).Root!;
        foreach (var entry in root.Entries.Where(entry => !FreeToChange.Contains(entry.Key))) Flatten(entry.Key, entry.Value, settings);
        return settings;
    }

    private static void Flatten(string path, SpecNode node, Dictionary<string, string> settings)
    {
        if (node is SpecNode.Map map)
        {
            foreach (var entry in map.Entries) Flatten($"{path}.{entry.Key}", entry.Value, settings);
        }
        else
        {
            settings.Add(path, SpecDescription.Value(node));
        }
    }
}
