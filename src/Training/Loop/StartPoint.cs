using Distributed.Core.Checkpoints;
using Distributed.Core.Jobs;
using Distributed.Training.Native;

namespace Distributed.Training.Loop;

/// <summary>Where a job begins: at a checkpoint or at its first step.</summary>
internal static class StartPoint
{
    /// <param name="isLead">This silo writes the job's checkpoints.</param>
    /// <param name="warn">Told of checkpoints that are damaged.</param>
    /// <returns>Null: the first step.</returns>
    /// <exception cref="JobException">There are checkpoints and none may be used, or none could be written.</exception>
    public static Checkpoint? Find(CheckpointStore store, SessionOptions options, bool isLead, Action<string> warn)
    {
        var resumed = options.Resume ? store.FindLatest(warn, AbortSignal.Current) : null;
        if (isLead && !options.Resume && !store.IsEmpty)
            throw new JobException(
                ErrorCodes.CheckpointExists,
                $"{options.CheckpointDirectory} already holds checkpoints of an earlier run. "
                + "Continue that run, or name another checkpoint.path.");
        if (options.Resume && resumed is null && !store.IsEmpty)
            throw new JobException(
                ErrorCodes.CheckpointInvalid,
                $"{options.CheckpointDirectory} holds no checkpoint that is whole (see the warnings). "
                + "Restore one, or train into another directory.");
        // A place that cannot be written to is better known now than after a week of steps.
        if (isLead)
            using (store.Begin(0))
            {
            }
        return resumed;
    }
}
