using Distributed.Core.Jobs;
using Distributed.Core.Machine;
using Distributed.Core.Spec;
using Distributed.Silo.Settings;

namespace Distributed.Silo.Folders;

/// <summary>
/// Where a job's files lie. A client's own silo takes its absolute paths; a cluster keeps jobs under the operator's roots.
/// </summary>
internal sealed class JobPaths(ServeSettings settings) : IDisposable
{
    private const int MostLinks = 40;

    // Paths are looked at before a job starts, to tell its owner early; a link may be turned after that.
    private readonly IDisposable? fence = settings.DataRoot is { } data ? PathFence.Around(data, settings.JobsRoot) : null;

    /// <value>The files lie where other silos reach them too.</value>
    public bool AreShared => settings.DataRoot is not null;

    /// <summary>The job with absolute paths, and the directory of its checkpoints.</summary>
    /// <exception cref="JobException">Code <c>spec-invalid</c>: a path is relative where it must not be, or leaves its root.</exception>
    public (JobSpec Spec, string CheckpointDirectory) Resolve(JobSpec spec, JobId jobId)
    {
        var resolved = spec with
        {
            Data = spec.Data with { Path = spec.Data.Path is { } data ? Place("data.path", data, settings.DataRoot) : null },
            Model =
                spec.Model with { Weights = spec.Model.Weights is { } weights ? Place("model.weights", weights, settings.DataRoot) : null },
        };
        // In a cluster a job's own folder is its only place to write, so that no job touches another's checkpoints.
        var own = FolderOf(jobId);
        var checkpoints = spec.Checkpoint.Path is { } path
            ? Place("checkpoint.path", path, settings.DataRoot is null ? null : own)
            : Path.Combine(own, "checkpoints");
        return (resolved, checkpoints);
    }

    /// <summary>Where a cluster keeps what belongs to a job.</summary>
    public string FolderOf(JobId jobId) => Path.Combine(settings.JobsRoot, jobId.ToString());

    public void Dispose() => fence?.Dispose();

    private static string Place(string setting, string path, string? root)
    {
        if (path is "~" || path.StartsWith("~/", StringComparison.Ordinal))
            throw Refuse($"{setting}: found '{path}', but a silo does not know the home folder that ~ stands for; "
                + $"expected {(root is null ? "an absolute path" : "a path relative to the operator's root")}.");
        if (root is null)
            return Path.IsPathFullyQualified(path)
                ? path
                : throw Refuse($"{setting}: found the relative path '{path}', expected an absolute one.");
        if (Path.IsPathRooted(path))
            throw Refuse($"{setting}: found the absolute path '{path}', expected one relative to the operator's root.");
        if (path.Split('/', '\\').Contains(".."))
            throw Refuse($"{setting}: found '..' in '{path}', expected a path that stays under the operator's root.");
        var full = Path.GetFullPath(Path.Combine(root, path));
        if (Real(full) is not { } place)
            throw Refuse($"{setting}: '{path}' goes through more than {MostLinks} links; expected a path without a loop of links.");
        return StaysUnder(root, place) ? full : throw Refuse($"{setting}: '{path}' leads out of the operator's root through a link.");
    }

    private static bool StaysUnder(string root, string place)
    {
        var home = Real(root) ?? throw Refuse($"the operator's root {root} goes through more than {MostLinks} links.");
        return place == home || place.StartsWith(home.TrimEnd('/') + "/", StringComparison.Ordinal);
    }

    // As the kernel walks it: a link may hide in the middle of a path, or behind another link.
    /// <returns>Null: too many links.</returns>
    private static string? Real(string path)
    {
        var ahead = new Stack<string>(path.Split('/').Reverse());
        var at = "/";
        for (var links = 0; ahead.TryPop(out var part);)
        {
            if (part is "" or ".") continue;
            if (part == "..")
            {
                at = Path.GetDirectoryName(at) ?? "/";
                continue;
            }

            var next = Path.Combine(at, part);
            if (new FileInfo(next).LinkTarget is not { } target)
            {
                at = next;
                continue;
            }

            if (++links > MostLinks) return null;
            if (target.StartsWith('/')) at = "/";
            foreach (var step in target.Split('/').Reverse()) ahead.Push(step);
        }

        return at;
    }

    private static JobException Refuse(string message) => new(ErrorCodes.SpecInvalid, message);
}
