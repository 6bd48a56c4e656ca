using System.Text.Json;
using System.Text.Json.Nodes;
using Distributed.Client.Outcomes;
using Distributed.Core.Checkpoints;
using Distributed.Core.Spec;

namespace Distributed.Client.Runs;

/// <summary>The files of one run: the resolved job, the environment, the events, the logs of the silos.</summary>
internal sealed class RunDirectory
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    private RunDirectory(string path, bool resumed) => (Path, Resumed) = (path, resumed);

    public string Path { get; }

    /// <summary>Logs of the earlier run are continued.</summary>
    public bool Resumed { get; }

    public string EventsPath => System.IO.Path.Combine(Path, "events.jsonl");

    /// <summary>The log of a silo; null: of the run's only one.</summary>
    public string LogPath(string? silo) => System.IO.Path.Combine(Path, $"{silo ?? "silo"}.log");

    /// <summary>Refuses what a run would overwrite or cannot find; writes nothing.</summary>
    /// <exception cref="CommandFailure">The directory or the checkpoint path does not fit the run.</exception>
    public static void Check(TrainPlan plan, TrainOptions options, bool ownCheckpoints)
    {
        foreach (var path in new[] { plan.Directory, plan.CheckpointPath }.Where(File.Exists))
            throw Refusal($"'{path}' is a file; a directory is needed there.");
        if (options.Resume)
        {
            if (ownCheckpoints && options.Out is null)
                throw Refusal(
                    "--resume does not know which run to continue: give --out DIR of the earlier run, or checkpoint.path in the job file.");
            if (ownCheckpoints && !Directory.Exists(plan.Directory))
                throw Refusal($"--resume finds no earlier run: '{plan.Directory}' does not exist. "
                    + "Check --out, or leave out --resume to start from the beginning.");
        }
        else if (!new CheckpointStore(plan.CheckpointPath).IsEmpty)
        {
            throw Refusal(
                $"The checkpoint path '{plan.CheckpointPath}' is not empty. Add --resume to continue that run, or choose another path.");
        }
        else if (!new CheckpointStore(System.IO.Path.Combine(plan.Directory, "checkpoints")).IsEmpty)
        {
            throw Refusal(
                $"'{plan.Directory}' holds the checkpoints of an earlier run. Add --resume to continue it, or choose another --out.");
        }
    }

    /// <exception cref="CommandFailure">The directory cannot be written.</exception>
    public static RunDirectory Create(TrainPlan plan, bool resume, RunEnvironment environment)
    {
        try
        {
            Directory.CreateDirectory(plan.Directory);
            RunDirectory run = new(plan.Directory, resume);
            File.WriteAllText(
                System.IO.Path.Combine(run.Path, "job.json"), JsonNode.Parse(JobSpecJson.Write(plan.Spec))!.ToJsonString(Indented) + "\n");
            run.Write(environment);
            if (!resume) File.Delete(run.EventsPath);
            return run;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(
                ExitCode.Failed, $"The run directory '{plan.Directory}' cannot be written: {refused.Message} Choose another --out.");
        }
    }

    public void Write(RunEnvironment environment) =>
        File.WriteAllText(System.IO.Path.Combine(Path, "environment.json"), environment.ToJson() + "\n");

    private static CommandFailure Refusal(string message) => new(ExitCode.Usage, message);
}
