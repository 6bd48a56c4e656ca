using System.CommandLine;
using System.Text.Json;
using Distributed.Client.Outcomes;
using Distributed.Client.Runs;
using Distributed.Core.Machine;
using Distributed.Core.Spec;
using Distributed.Core.Values;

namespace Distributed.Client.Commands;

internal sealed class PlanCommand
{
    /// <summary>The optimizer's state comes with the first step; the peak with the second.</summary>
    private const int MeasuredSteps = 2;

    private readonly Argument<string> file = JobFileInput.FileArgument();
    private readonly Option<string[]> set = JobFileInput.SetOption();
    private readonly Option<int?> ranks = NumberOption.Whole(
        "--ranks", "N", "Ranks in all. Default: as 'dtrain train' would take here.", least: 1);
    private readonly Option<int?> silos = NumberOption.Whole("--silos", "M", "Silos that hold them. Default: 1.", least: 1);
    private readonly Option<string?> memory = new("--memory")
    {
        HelpName = "SIZE",
        Description = "What a silo may use, such as 8GiB. Default: what this machine or container has.",
    };
    private readonly Option<bool> measure =
        new("--measure") { Description = "Run the first two steps here, and show their peak memory." };
    private readonly Option<bool> json = JobArguments.Json("One JSON object; sizes in bytes.");

    public static Command Create() => new PlanCommand().Build();

    private Verb Build()
    {
        Verb verb = new(
            "plan",
            "Says what a job will take, before anything is started: ranks, micro-batches, and memory by its parts.",
            "dtrain plan job.yaml",
            "dtrain plan job.yaml --set microBatch=256 --ranks 4 --silos 2 --memory 8GiB",
            "dtrain plan job.yaml --measure --json")
        {
            file, set, ranks, silos, memory, measure, json,
        };
        verb.ExitCodes = "0 it fits, as far as its sizes (and with --measure its first steps) tell; 1 it does not, or the steps failed; "
            + "2 misuse, or a job that cannot run as asked";
        verb.SetAction(RunAsync);
        return verb;
    }

    private async Task<int> RunAsync(ParseResult parse, CancellationToken cancel)
    {
        var output = parse.InvocationConfiguration.Output;
        var available = parse.GetValue(memory) is not { } text ? MachineMemory.Read()
            : MemorySize.Parse(text)
                ?? throw new CommandFailure(ExitCode.Usage, $"--memory: found '{text}', expected {MemorySize.Expected}.");
        TrainOptions options = new()
        {
            File = parse.GetRequiredValue(file),
            Ranks = parse.GetValue(ranks),
            Silos = parse.GetValue(silos) ?? 1,
            Set = parse.GetValue(set) ?? [],
            StopAt = MeasuredSteps,
        };
        var spec = JobFileInput.Read(options.File, options.Set);
        var plan = JobPlan.Of(TrainPlan.Make(options, spec, Environment.ProcessorCount, Environment.CurrentDirectory, "plan"), available);
        if (parse.GetValue(measure))
        {
            // What does not fit by its sizes would only be refused.
            if (!plan.Fits) await parse.InvocationConfiguration.Error.WriteLineAsync("Not measured: the job does not fit by its sizes.");
            else plan = plan with { Measured = await MeasureAsync(options, spec) };
        }

        if (parse.GetValue(json)) await output.WriteLineAsync(JsonSerializer.Serialize(plan.ForJson()));
        else foreach (var (label, value) in plan.Rows()) await output.WriteLineAsync($"{label,-17}{value}".TrimEnd());
        return plan.Fits ? ExitCode.Done : ExitCode.Failed;
    }

    /// <returns>Bytes; null where the system does not say.</returns>
    /// <exception cref="CommandFailure">The steps failed.</exception>
    private static async Task<long?> MeasureAsync(TrainOptions options, JobSpec spec)
    {
        var directory = Directory.CreateTempSubdirectory("dtrain-plan-").FullName;
        try
        {
            // Into a folder of its own: the job's checkpoints are none of this run's.
            options = options with { Out = directory };
            var plan = TrainPlan.Make(
                options, spec with { Checkpoint = new CheckpointSpec() }, Environment.ProcessorCount, directory, "plan");
            var environment = RunEnvironment.Take(plan, TimeProvider.System);
            using StringWriter said = new();
            LocalRun run = new(
                plan, options, RunDirectory.Create(plan, resume: false, environment), environment, TextWriter.Null, said,
                TimeProvider.System);
            var code = await run.RunAsync();
            return code == ExitCode.Done
                ? run.PeakMemory
                : throw new CommandFailure(
                    code,
                    $"nothing was measured: the first steps {(code == ExitCode.Interrupted ? "were interrupted" : "failed")}.\n"
                    + $"{said.ToString().TrimEnd()}");
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }
}
