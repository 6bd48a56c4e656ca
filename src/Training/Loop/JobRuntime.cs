using Distributed.Core;
using Distributed.Core.Canonical;
using Distributed.Core.Data;
using Distributed.Core.Jobs;
using Distributed.Core.Scaling;
using Distributed.Core.Stepping;
using Distributed.Training.Collectives;
using Distributed.Training.Data;
using Distributed.Training.Models;
using Distributed.Training.Optim;
using Distributed.Training.Parameters;
using Distributed.Training.Precision;

namespace Distributed.Training.Loop;

/// <summary>What the ranks of a silo share for a job: data, model, weights, optimizer state and plans. Built once, by the last rank to join.</summary>
internal sealed class JobRuntime : IDisposable
{
    private JobRuntime(SessionOptions options, DataSource data, IModel model)
    {
        Options = options;
        Data = data;
        Model = model;
        Precision = PrecisionPolicy.For(options.Spec.Precision);
        Plan = SamplePlan.For(options.Spec, data.Train.Count, data.Endless);
        TotalSteps = Plan.TotalSteps(options.Spec);
        Layout = new ParameterLayout(model.Parameters);
        Replica = new Replica(Layout, Precision);
        Optimizer = FlatOptimizer.Create(options.Spec.Optimizer, Layout);
        Runs = MicroBatchRuns.Plan(options.WorldSize, options.Spec.MicroBatches);
        Owners = BlockPlan.Deal(Layout.Length, options.Ranks.Count);
        var partials = options.Ranks.SelectMany(r => CanonicalTree.Partials(Runs[r.Rank.Value]));
        Fold = FoldProgram.For(partials.Select(p => (p.Start, p.End)));
        Board = new StepBoard(options.Ranks.Count, options.Spec.MicroBatches, Layout.Slots.Count, Layout.Blocks);
        State = new TrainerState(0, 0, LossScalePolicies.For(options.Spec).Initial);
    }

    public SessionOptions Options { get; }

    public JobSpec Spec => Options.Spec;

    public DataSource Data { get; }

    public IModel Model { get; }

    public PrecisionPolicy Precision { get; }

    public SamplePlan Plan { get; }

    public long TotalSteps { get; }

    public ParameterLayout Layout { get; }

    public Replica Replica { get; }

    public FlatOptimizer Optimizer { get; }

    /// <summary>Micro-batches by rank of the job.</summary>
    public IReadOnlyList<MicroBatchRun> Runs { get; }

    /// <summary>Elements of the flat buffers, in whole blocks, by rank of this silo.</summary>
    public IReadOnlyList<BlockRun> Owners { get; }

    public FoldProgram Fold { get; }

    public StepBoard Board { get; }

    /// <summary>Moved only by a decision, after every rank has applied it.</summary>
    public TrainerState State { get; set; }

    /// <exception cref="JobException">Data, model or warm-start weights do not fit.</exception>
    public static JobRuntime Build(SessionOptions options)
    {
        var spec = options.Spec;
        if (spec.Workers.Device != "cpu")
            throw new JobException(ErrorCodes.SpecInvalid, $"workers.device is '{spec.Workers.Device}', but this build drives CPUs only. Set workers.device: cpu.");
        if (options.WorldSize > spec.MicroBatches)
            throw new JobException(ErrorCodes.SpecInvalid, $"{options.WorldSize} ranks for {spec.MicroBatches} micro-batches a step; use at most {spec.MicroBatches} ranks or a smaller microBatch.");
        var model = ModelCatalog.Create(spec.Model);
        var data = DataSources.Open(spec);
        model.Input.Check(spec.Model.Name, spec.Data.Name, data.Train);
        var runtime = new JobRuntime(options, data, model);
        runtime.Replica.Initialise(spec.Seed);
        return runtime;
    }

    public void Dispose()
    {
        Replica.Dispose();
        Optimizer.Dispose();
        (Data.Train as IDisposable)?.Dispose();
        (Data.Test as IDisposable)?.Dispose();
    }
}
