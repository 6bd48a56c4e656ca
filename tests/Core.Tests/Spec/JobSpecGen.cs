using CsCheck;
using Distributed.Core.DataSets;
using Distributed.Core.LossScaling;
using Distributed.Core.Models;
using Distributed.Core.Optimizers;
using Distributed.Core.Schedules;
using Distributed.Core.Spec;
using Distributed.Core.Values;

namespace Distributed.Core.Tests.Spec;

/// <summary>Valid jobs of every kind.</summary>
internal static class JobSpecGen
{
    private static readonly Gen<double> Small = Gen.Double[1e-12, 0.999];

    private static readonly Gen<string> Words = Gen.String[Gen.Char[" ~\"'\\:#é日"], 1, 12].Select(
        text => text.Trim().Length == 0 ? "job" : text);

    private static readonly Gen<(ModelSpec Model, DataSpec Data)> Parts = Gen.Select(Gen.Int[0, 6], Words, Small, Words.Null())
        .Select((kind, path, dropout, weights) => kind switch
        {
            0 => (ModelSpec.Of(new SimpleCnnOptions { Dropout = dropout }, weights), DataSpec.Of(new Cifar10Options(), path)),
            1 => (ModelSpec.Of(new MlpOptions { Sizes = new([784, 20, 10]) }), DataSpec.Of(new MnistOptions(), path)),
            2 => (ModelSpec.Of(new MlpOptions { Sizes = new([3072, 12]) }), DataSpec.Of(new ShapesOptions { Samples = 500 })),
            3 => (ModelSpec.Of(new SentimentLstmOptions { Vocab = 1000, Embedding = 8, Hidden = 16 }),
                DataSpec.Of(new ImdbOptions { Length = 50, Encoding = "utf-16le" }, path)),
            4 => (ModelSpec.Of(new TransformerOptions { Width = 12, Layers = 2, Heads = 3, Vocab = 256, Sequence = 20, Dropout = dropout }),
                DataSpec.Of(new TextOptions { Length = 20 }, path)),
            5 => (ModelSpec.Of(new TransformerOptions { Width = 4, Layers = 1, Heads = 4, Vocab = 9, Sequence = 1 }),
                DataSpec.Of(new TensorsOptions(), path)),
            _ => (ModelSpec.Of(new SentimentLstmOptions { Vocab = 10, Embedding = 8, Hidden = 16 }),
                DataSpec.Of(new TensorsOptions { AllowNonFinite = dropout < 0.5 }, path)),
        });

    private static readonly Gen<OptimizerSpec> Optimizer = Gen.Select(Gen.Int[0, 2], Small, Small, Gen.Bool, Words.List[0, 3])
        .Select((kind, a, b, flag, names) => OptimizerSpec.Of(kind switch
        {
            0 => new SgdOptions { Lr = a, Momentum = b, Nesterov = flag, WeightDecay = a, NoDecay = new(names) },
            1 => new AdamOptions { Lr = a, Betas = new([b, a]), Eps = b, WeightDecay = b, NoDecay = new(names) },
            _ => new AdamWOptions { Lr = a, Betas = new([b, a]), Eps = b, WeightDecay = b, NoDecay = new(names) },
        }));

    private static readonly Gen<LossScaleSpec?> LossScale = Gen.Select(Gen.Int[-1, 3], Small, Gen.Int[1, 5000])
        .Select((kind, x, n) => kind < 0
            ? null
            : LossScalePolicies.Defaults(LossScalePolicies.Names[kind]) with
            {
                Init = 8 + x,
                Growth = 1.001 + x,
                Backoff = x,
                MaxSkippedShare = x,
                Interval = n,
                Max = 9,
                MaxConsecutiveSkips = n,
            });

    public static readonly Gen<JobSpec> Valid = Gen.Select(
        Parts, Optimizer, LossScale, Gen.Int[1, 12], Gen.Int[1, 12], Gen.Long, Gen.Int[0, 31], Small).Select(
        (parts, optimizer, lossScale, micro, batches, seed, bits, x) => new JobSpec
        {
            Name = "job é #1",
            Model = parts.Model,
            Data = parts.Data,
            Precision = (bits & 1) == 0 ? Precision.Float32 : Precision.MixedBFloat16,
            GlobalBatch = micro * batches,
            MicroBatch = micro,
            Steps = (bits & 2) == 0 ? batches : null,
            Epochs = (bits & 2) == 0 ? null : batches,
            Shuffle = (bits & 4) == 0,
            Seed = seed,
            Normalize = parts.Data.Name == "cifar10" && (bits & 8) != 0 ? new() { Mean = new([x, 0, -x]), Std = new([x, x, 1]) } : null,
            Augment = parts.Data.Name is "cifar10" or "shapes" && (bits & 16) != 0 ? new() { Flip = true, Crop = 4 } : null,
            Optimizer = optimizer,
            Schedule = ScheduleSpec.Of((bits % 3) switch
            {
                0 => new ConstantOptions { WarmupSteps = micro },
                1 => new LinearOptions { WarmupSteps = micro },
                _ => new CosineOptions { WarmupSteps = micro },
            }),
            ClipNorm = (bits & 8) == 0 ? x : null,
            LossScale = lossScale,
            Workers = new() { Min = 1, Max = (bits & 4) == 0 ? null : 7, Device = "cpu", IntraOpThreads = 2 },
            Checkpoint = new() { Path = (bits & 2) == 0 ? null : "a/b", EverySteps = (bits & 1) == 0 ? null : 9, Keep = 2 },
            Evaluate = (bits & 16) == 0 ? null : new() { EverySteps = 10 },
            Limits = (bits & 12) == 0
                ? null
                : new()
                {
                    Queued = (bits & 4) == 0 ? null : TimeSpan.FromSeconds(90 * micro),
                    Run = (bits & 8) == 0 ? null : TimeSpan.FromHours(batches),
                    Losses = (bits & 4) == 0 ? micro : null,
                },
        });
}
