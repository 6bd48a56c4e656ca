using Distributed.Client.Outcomes;
using Distributed.Core.Jobs;
using Distributed.Core.Spec;

namespace Distributed.Client.Runs;

/// <summary>A local run, settled before anything is written or started.</summary>
/// <param name="JobId">Names the job in the silo and, by default, its directory.</param>
/// <param name="Spec">The job as it is submitted: absolute paths, workers fixed to the ranks.</param>
/// <param name="Directory">Absolute path of the run's files.</param>
/// <param name="Warnings">What the user should know, and what to do about it.</param>
internal sealed record TrainPlan(JobId JobId, JobSpec Spec, int Ranks, int Silos, string Directory, IReadOnlyList<string> Warnings)
{
    public string CheckpointPath => Spec.Checkpoint.Path!;

    /// <param name="spec">Its paths are absolute.</param>
    /// <param name="cores">Cores of this machine.</param>
    /// <exception cref="CommandFailure">More ranks than micro-batches, or more silos than ranks.</exception>
    public static TrainPlan Make(TrainOptions options, JobSpec spec, int cores, string currentDirectory, string suffix)
    {
        var ranks = options.Ranks ?? Math.Min(Math.Min(cores, spec.Workers.Max ?? int.MaxValue), spec.MicroBatches);
        if (ranks > spec.MicroBatches)
        {
            throw new CommandFailure(
                ExitCode.Usage,
                $"--ranks {ranks} is more than the {spec.MicroBatches} micro-batches of a step (globalBatch {spec.GlobalBatch} / "
                + $"microBatch {spec.MicroBatch}), "
                + $"so some ranks would have no work. Use at most {spec.MicroBatches} ranks or a smaller microBatch.");
        }
        if (options.Silos > ranks)
        {
            throw new CommandFailure(
                ExitCode.Usage,
                $"--silos {options.Silos} is more than the {ranks} {(ranks == 1 ? "rank" : "ranks")} of the job, "
                + "so some silos would have no work. "
                + (options.Silos > spec.MicroBatches
                    ? $"A step has {spec.MicroBatches} micro-batches: use at most that many silos, or a smaller microBatch."
                    : $"Use --ranks {options.Silos} or more, or fewer silos."));
        }
        List<string> warnings = [];
        if (ranks > cores)
            warnings.Add($"{ranks} ranks share {cores} cores: the result is the same, but slower. --ranks {cores} uses each core once.");
        var id = JobId.Parse($"{Printable(spec.Name)}-{suffix}");
        var directory = Path.GetFullPath(options.Out ?? Path.Combine("runs", id.ToString()), currentDirectory);
        return new(id, spec with
        {
            Workers = spec.Workers with { Min = ranks, Max = ranks },
            Checkpoint = spec.Checkpoint with { Path = spec.Checkpoint.Path ?? Path.Combine(directory, "checkpoints") },
        }, ranks, options.Silos, directory, warnings);
    }

    /// <summary>Ranks of silo <paramref name="silo"/>, from 0; as the silos deal them.</summary>
    public int RanksOf(int silo) => (int)((silo + 1L) * Ranks / Silos) - (int)((long)silo * Ranks / Silos);

    /// <summary>Name of silo <paramref name="silo"/>, from 0; null: the run's only one.</summary>
    public string? NameOf(int silo) => Silos == 1 ? null : $"silo-{silo}";

    /// <summary>
    /// The job's name as the beginning of an id: ids are letters, digits and a few signs, and no longer than 64 with their suffix.
    /// </summary>
    private static string Printable(string name)
    {
        const int Longest = 45;
        var slug = string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' ? c : '-')).TrimStart('.', '_', '-');
        return slug.Length == 0 ? "job" : slug[..Math.Min(slug.Length, Longest)];
    }
}
