using Distributed.Core.Canonical;
using Distributed.Core.Jobs;
using Distributed.Core.LossScaling;
using Distributed.Core.Samples;
using Distributed.Core.Spec;
using Distributed.Core.Stepping;
using Distributed.Training.Data;
using Distributed.Training.Devices;
using Distributed.Training.Exchange;
using Distributed.Training.Models;
using Distributed.Training.Native;
using Distributed.Training.Optim;
using Distributed.Training.Parameters;
using Distributed.Training.Precision;
using Distributed.Training.Ranks;
using Distributed.Training.Reduction;

namespace Distributed.Training.Loop;

/// <summary>
/// What the ranks of a silo share for a job: data, model, weights, optimizer state and plans. Built once, by the last rank to join.
/// </summary>
internal sealed class JobRuntime : IDisposable
{
    private IGradientExchange? exchange;
    private BucketGate? gate;

    private JobRuntime(SessionOptions options, RankBarrier barrier, IDeviceRuntime device, DataSource data, IModel model)
    {
        (Options, Device) = (options, device);
        Data = data;
        Model = model;
        Precision = PrecisionPolicy.For(options.Spec.Precision);
        Plan = SamplePlan.For(options.Spec, data.Train.Count, data.Endless);
        TotalSteps = Plan.TotalSteps(options.Spec);
        Layout = new ParameterLayout(model.Parameters);
        Replica = new Replica(Layout, Precision, device);
        Optimizer = FlatOptimizer.Create(options.Spec.Optimizer.Options, Layout, device);
        Runs = MicroBatchRuns.Plan(options.WorldSize, options.Spec.MicroBatches);
        Owners = BlockPlan.Deal(Layout.Length, options.Ranks.Count);
        Ranges = FlatRange.Of(Layout);
        Reduced = new ReducedGradient(device.Address(Replica.Reduced), Layout.Length, Layout.Slots.Count, options.Spec.MicroBatches);
        ExchangeJob = new ExchangeJob(SilosOf(options), Runs, Ranges, barrier, Reduced, device);
        Board = new StepBoard(options.Ranks.Count);
        State = new TrainerState(0, 0, JobLossScale.For(options.Spec).Initial);
    }

    public SessionOptions Options { get; }

    public JobSpec Spec => Options.Spec;

    public IDeviceRuntime Device { get; }

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

    /// <summary>Where the parameters lie, in the order of the flat buffers.</summary>
    public FlatRange[] Ranges { get; }

    /// <summary>The reduced gradient of the open step.</summary>
    public ReducedGradient Reduced { get; }

    /// <summary>What the exchange works on.</summary>
    public ExchangeJob ExchangeJob { get; }

    /// <summary>Sums the gradients of all ranks of the job; there from <see cref="Connect"/> on.</summary>
    public IGradientExchange Exchange => exchange ?? throw new InvalidOperationException("The exchange is not open yet.");

    /// <summary>Sees which buckets may leave the silo; there from <see cref="Connect"/> on.</summary>
    public BucketGate Gate => gate ?? throw new InvalidOperationException("The exchange is not open yet.");

    public StepBoard Board { get; }

    /// <summary>Moved only by a decision, after every rank has applied it.</summary>
    public TrainerState State { get; set; }

    /// <summary>The step that this generation begins with.</summary>
    public long FirstStep { get; private set; }

    /// <exception cref="JobException">Data, model or warm-start weights do not fit.</exception>
    public static JobRuntime Build(SessionOptions options, RankBarrier barrier)
    {
        var spec = options.Spec;
        var device = DeviceRuntimes.Open(spec.Workers.Device);
        if (options.WorldSize > spec.MicroBatches)
            throw new JobException(
                ErrorCodes.SpecInvalid,
                $"{options.WorldSize} ranks for {spec.MicroBatches} micro-batches per step; "
                + $"use at most {spec.MicroBatches} ranks or a smaller microBatch.");
        var model = ModelCatalog.Create(spec.Model.Options);
        var data = DataSources.Open(spec);
        SampleCheck.Demand(spec.Model, spec.Data.Name, data.Train);
        var runtime = new JobRuntime(options, barrier, device, data, model);
        runtime.Replica.Initialise(spec.Seed);
        return runtime;
    }

    /// <summary>Meets the other silos, when this one has all it needs, and opens the first step.</summary>
    /// <param name="fingerprint">What must be equal in all silos for equal bits.</param>
    public void Connect(IExchangeFactory factory, string fingerprint)
    {
        ExchangeJob.Silos = ExchangeJob.Silos with { Fingerprint = fingerprint };
        exchange = factory.Open(ExchangeJob);
        gate = new BucketGate(exchange, Options.Ranks.Count);
        FirstStep = State.Step + 1;
    }

    /// <summary>Opens a step, if the job has it, before any rank of the silo begins it.</summary>
    public void OpenStep(long step)
    {
        if (step <= TotalSteps) Gate.Begin(step, FactorsOf(step));
    }

    /// <summary>Whether the model is evaluated after a step.</summary>
    public bool IsEvaluated(long step) => step == TotalSteps || IsDue(step, Spec.Evaluate?.EverySteps);

    /// <summary>Whether the job file asks for a checkpoint after a step.</summary>
    public bool IsSaved(long step) => step == TotalSteps || IsDue(step, Spec.Checkpoint.EverySteps);

    private static bool IsDue(long step, long? every) => every is { } k && step % k == 0;

    /// <summary>What multiplies the gradient sums of a step.</summary>
    public GradientFactors FactorsOf(long step) =>
        new((float)(1.0 / State.LossScale.Scale), (float)((double)Spec.MicroBatch / Plan.ItemsOf(step)));

    private static ExchangeSilos SilosOf(SessionOptions options)
    {
        IReadOnlyList<SiloRankCount> silos = options.Silos.Count > 0
            ? options.Silos
            : [new SiloRankCount(options.Silo, options.Ranks.Count)];
        List<int> firstRanks = [.. silos.Select((_, i) => silos.Take(i).Sum(s => s.Ranks))];
        return new ExchangeSilos(
            options.JobId, options.Generation, [.. silos.Select(s => s.Silo)], firstRanks.IndexOf(options.Ranks[0].Rank.Value), firstRanks,
            "", options.Ranks.Count);
    }

    public void Dispose()
    {
        // The exchange reads and writes the buffers below until it has ended.
        exchange?.Dispose();
        Replica.Dispose();
        Optimizer.Dispose();
        (Data.Train as IDisposable)?.Dispose();
        (Data.Test as IDisposable)?.Dispose();
    }
}
