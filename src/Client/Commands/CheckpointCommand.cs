using System.CommandLine;

namespace Distributed.Client.Commands;

internal static class CheckpointCommand
{
    public static Command Create() => new Verb(
        "checkpoint",
        "Looks into checkpoints without a cluster. PATH is one checkpoint's directory, or the directory that holds a job's checkpoints.",
        "dtrain checkpoint verify runs/trial/checkpoints",
        "dtrain checkpoint show runs/trial/checkpoints/step-0000000100",
        "dtrain checkpoint diff runs/a/checkpoints runs/b/checkpoints")
    {
        CheckpointVerifyCommand.Create(),
        CheckpointShowCommand.Create(),
        CheckpointDiffCommand.Create(),
    };
}
