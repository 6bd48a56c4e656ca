using Distributed.Core.DataSets;
using Distributed.Core.LossScaling;
using Distributed.Core.Models;
using Distributed.Core.Spec;
using Distributed.Core.Stepping;
using Distributed.Grains.Contracts;

namespace Distributed.Testing.Training;

/// <summary>Jobs and votes that tests start from.</summary>
internal static class Specs
{
    public static readonly TrainerState Fresh = new(0, 0, new LossScaleState(1, 0, 1, -1, 0));

    public static JobSpec Job(string name = "toy", long steps = 5) => new()
    {
        Name = name,
        Model = ModelSpec.Of(new SimpleCnnOptions()),
        Data = DataSpec.Of(new ShapesOptions()),
        GlobalBatch = 64,
        MicroBatch = 8,
        Steps = steps,
    };

    public static JobSubmission Submission(string name = "toy", long steps = 5, int ranks = 2, int silos = 1) =>
        new(JobSpecJson.Write(Job(name, steps)), new RunOptions { Ranks = ranks, Silos = silos });

    /// <summary>A job as a cluster's clients submit it: it comes back when its silos are lost.</summary>
    public static JobSubmission Lasting(
        string name = "toy", long steps = 5, int min = 2, int? max = 2, string user = "ann", int priority = 0) =>
        new(
            JobSpecJson.Write(Job(name, steps) with { Workers = new WorkersSpec { Min = min, Max = max } }),
            new RunOptions { Requeue = true, Priority = priority }, user);

    public static StepVote Vote(TrainerState before, int generation = 1, double loss = 64) =>
        new(new(generation), before, FoundInf: false, NormSquared: 4, LossSum: loss, Items: 64, NonFinite: null);
}
