using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using Distributed.Client.Files;
using Distributed.Client.Outcomes;
using Distributed.Client.Runs;
using Distributed.Core.Checkpoints;
using Distributed.Core.Spec;

namespace Distributed.Client.Commands;

internal sealed class TrainCommand
{
    private readonly Argument<string> file = JobFileInput.FileArgument();
    private readonly Option<string[]> set = JobFileInput.SetOption();
    private readonly Option<int?> ranks = NumberOption.Whole(
        "--ranks", "N", "Ranks in all. Default: one per core, as far as workers.max and the micro-batches allow.", least: 1);
    private readonly Option<int?> silos = NumberOption.Whole(
        "--silos", "M", "Silo processes that hold the ranks, as machines of a cluster would. Default: 1.", least: 1);
    private readonly Option<int?> stopAt = NumberOption.Whole("--stop-at", "K", "Checkpoint after step K and end.", least: 1);
    private readonly Option<int?> port = NumberOption.Whole(
        "--port", "P", "Port of the first silo on 127.0.0.1. Default: any free one.", least: 0, most: 65535);
    private readonly Option<string?> outDirectory =
        new("--out") { HelpName = "DIR", Description = "Directory of the run's files. Default: runs/ID." };
    private readonly Option<bool> resume =
        new("--resume") { Description = "Continue from the last valid checkpoint, with any number of ranks." };
    private readonly Option<bool> json = new("--json") { Description = "One event per line on stdout." };

    public static Command Create() => new TrainCommand().Build();

    private Verb Build()
    {
        Verb verb = new(
            "train",
            "Trains on this machine: starts silos, submits the job, follows it to its end and stops the silos.",
            "dtrain train job.yaml",
            "dtrain train job.yaml --ranks 2 --set optimizer.lr=0.01 --set steps=200 --out runs/trial",
            "dtrain train job.yaml --resume --out runs/trial --ranks 4",
            "dtrain train job.yaml --silos 2 --ranks 4",
            "dtrain train job.yaml --json > events.jsonl")
        {
            file, ranks, silos, set, outDirectory, resume, stopAt, port, json,
        };
        verb.ExitCodes = "0 done; 1 the job failed; 2 misuse, or a job that cannot run as asked; 130 ended by Ctrl-C, SIGTERM, "
            + "SIGHUP or because nobody reads the output any more, with a checkpoint";
        verb.SetAction(parse => RunAsync(parse, TimeProvider.System));
        return verb;
    }

    private async Task<int> RunAsync(ParseResult parse, TimeProvider time)
    {
        var (output, error) = (parse.InvocationConfiguration.Output, parse.InvocationConfiguration.Error);
        TrainOptions options = new()
        {
            File = parse.GetRequiredValue(file),
            Ranks = parse.GetValue(ranks),
            Silos = parse.GetValue(silos) ?? 1,
            Set = parse.GetValue(set) ?? [],
            Out = parse.GetValue(outDirectory) is { } directoryName ? HomeFolder.Expand(directoryName, "--out") : null,
            Resume = parse.GetValue(resume),
            StopAt = parse.GetValue(stopAt) ?? 0,
            Port = parse.GetValue(port) ?? 0,
            Json = parse.GetValue(json),
        };
        var spec = JobFileInput.Read(options.File, options.Set);
        var plan = TrainPlan.Make(options, spec, Environment.ProcessorCount, Environment.CurrentDirectory, Suffix(time));
        CheckInputs(options.File, spec);
        RunDirectory.Check(plan, options, ownCheckpoints: spec.Checkpoint.Path is null);
        foreach (var warning in plan.Warnings) await error.WriteLineAsync($"warning: {warning}");
        if (options.Resume && new CheckpointStore(plan.CheckpointPath).IsEmpty)
            await error.WriteLineAsync($"warning: no checkpoint in '{plan.CheckpointPath}' yet; the job starts from its first step.");
        var environment = RunEnvironment.Take(plan, time);
        var directory = RunDirectory.Create(plan, options.Resume, environment);
        return await new LocalRun(plan, options, directory, environment, output, error, time).RunAsync();
    }

    /// <summary>The silo checks its inputs itself; this only says earlier what the client can see.</summary>
    private static void CheckInputs(string file, JobSpec spec)
    {
        var missing = new[] { ("data.path", spec.Data.Path), ("model.weights", spec.Model.Weights) }
            .Where(input => input.Item2 is { } path && !File.Exists(path) && !Directory.Exists(path))
            .Select(input => $"{file}: {input.Item1}: '{input.Item2}' does not exist. Relative paths start at the job file's directory.")
            .ToList();
        if (missing.Count > 0) throw new CommandFailure(ExitCode.Usage, string.Join('\n', missing));
    }

    /// <summary>Sorts by time; the random part keeps runs of one second apart.</summary>
    private static string Suffix(TimeProvider time) =>
        time.GetLocalNow().ToString("yyMMdd-HHmmss", CultureInfo.InvariantCulture) + "-"
        + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(2));
}
