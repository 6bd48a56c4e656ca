using Distributed.Client.Outcomes;
using Distributed.Core.Checkpoints;

namespace Distributed.Client.Files;

/// <summary>From what the user typed to checkpoints.</summary>
internal static class CheckpointPath
{
    /// <summary>The path itself when it is one checkpoint, otherwise all that lie in it.</summary>
    /// <exception cref="CommandFailure">Nothing there.</exception>
    public static IReadOnlyList<string> All(string path)
    {
        CheckpointStore store = new(Existing(path));
        return IsCheckpoint(store) ? [store.Root] : [.. store.Steps().Select(store.PathOf)];
    }

    /// <summary>One whole checkpoint: the path itself, or the one that a run would resume from.</summary>
    /// <param name="warn">Takes one line for each checkpoint that is passed over.</param>
    /// <exception cref="CommandFailure">Nothing there, or nothing whole.</exception>
    public static Checkpoint One(string path, Action<string> warn)
    {
        CheckpointStore store = new(Existing(path));
        if (!IsCheckpoint(store))
            return store.FindLatest(warn) ?? throw new CommandFailure(ExitCode.Failed, $"No whole checkpoint in '{path}'.");
        var report = CheckpointVerifier.Verify(store.Root);
        return report.Ok
            ? new Checkpoint(store.Root, report.Manifest!.Step, report.Manifest)
            : throw new CommandFailure(ExitCode.Failed, $"The checkpoint '{path}' is damaged. {report.Faults}");
    }

    private static string Existing(string path)
    {
        path = HomeFolder.Expand(path, "PATH");
        if (Directory.Exists(path)) return Path.TrimEndingDirectorySeparator(path);
        throw new CommandFailure(
            ExitCode.Usage,
            File.Exists(path)
                ? $"'{path}' is a file; expected the directory of a checkpoint."
                : $"'{path}' does not exist; expected the directory of a checkpoint.");
    }

    /// <summary>A directory without checkpoints in it is taken for one itself, so that a lost manifest is reported.</summary>
    private static bool IsCheckpoint(CheckpointStore store) =>
        File.Exists(Path.Combine(store.Root, CheckpointFiles.Manifest)) || store.Steps().Count == 0;
}
