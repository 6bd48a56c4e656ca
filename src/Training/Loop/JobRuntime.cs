using Distributed.Core.Canonical;
using Distributed.Core.Jobs;
using Distributed.Core.LossScaling;
using Distributed.Core.Samples;
using Distributed.Core.Spec;
using Distributed.Core.Stepping;
using Distributed.Training.Data;
using Distributed.Training.Exchange;
using Distributed.Training.Models;
using Distributed.Training.Native;
using Distributed.Training.Optim;
using Distributed.Training.Parameters;
using Distributed.Training.Precision;
using Distributed.Training.Reduction;

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
        if (options.Silos.Count <= 1)
            Fold = FoldProgram.For(Runs.SelectMany(CanonicalTree.Partials).Select(p => (p.Start, p.End)));
        Ranges = FlatRange.Of(Layout);
        Buffers = options.Silos.Count > 1 ? OpenBuffers() : null;
        Board = Buffers is null
            ? new StepBoard(options.Ranks.Count, new double[options.Spec.MicroBatches], new double[Layout.Blocks], new bool[Layout.Slots.Count])
            : new StepBoard(options.Ranks.Count, Buffers.Losses, Buffers.BlockNorms, Buffers.Touched);
        State = new TrainerState(0, 0, JobLossScale.For(options.Spec).Initial);
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

    public FoldProgram? Fold { get; }

    /// <summary>Where the parameters lie, in the order of the flat buffers.</summary>
    public FlatRange[] Ranges { get; }

    /// <summary>The silo's side of the exchange; null where there is one silo.</summary>
    public ExchangeBuffers? Buffers { get; }

    /// <summary>The way to the other silos, and when buckets take it; null where there is one silo.</summary>
    public BucketGate? Gate { get; private set; }

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

    /// <summary>Meets the other silos, when there are any and this one has all it needs.</summary>
    public void Connect(IExchangeFactory? factory)
    {
        if (Buffers is null) return;
        if (factory is null) throw new InvalidOperationException("A job on several silos needs an exchange.");
        Gate = new BucketGate(factory.Open(Buffers), Buffers.Plan.Buckets.Count, Options.Ranks.Count);
    }

    /// <summary>What multiplies the gradient sums of a step.</summary>
    public GradientFactors FactorsOf(long step) =>
        new((float)(1.0 / State.Scaling.Scale), (float)((double)Spec.MicroBatch / Plan.ItemsOf(step)));

    private ExchangeBuffers OpenBuffers()
    {
        var (names, firstRanks, siloRuns) = (new List<string>(), new List<int>(), new List<MicroBatchRun>());
        var rank = 0;
        foreach (var (name, ranks) in Options.Silos)
        {
            names.Add(name);
            firstRanks.Add(rank);
            siloRuns.Add(new MicroBatchRun(Runs[rank].Start, Runs[rank + ranks - 1].End));
            rank += ranks;
        }
        var own = Options.Ranks.Select(r => Runs[r.Rank.Value]).ToList();
        var silos = new ExchangeSilos(Options.JobId, Options.Generation, names, firstRanks.IndexOf(Options.Ranks[0].Rank.Value), firstRanks, "", Options.Ranks.Count);
        return new ExchangeBuffers(
            silos, ExchangePlan.For(Layout.Length, siloRuns), Ranges, own, Layout.Slots.Count, Layout.Length, TensorMemory.Address(Replica.Reduced));
    }

    public void Dispose()
    {
        // The exchange reads and writes the buffers below until it has ended.
        if (Gate is not null) Gate.Dispose();
        else Buffers?.Dispose();
        Replica.Dispose();
        Optimizer.Dispose();
        (Data.Train as IDisposable)?.Dispose();
        (Data.Test as IDisposable)?.Dispose();
    }
}
