using System.Security.Cryptography;
using Distributed.Core.Checkpoints;
using Distributed.Core.DataSets;
using Distributed.Core.Models;
using Distributed.Core.Optimizers;
using Distributed.Core.Spec;
using Distributed.Testing;
using Distributed.Testing.Training;
using Distributed.Training.Tests.Data;
using Distributed.Training.Tests.Loop;

namespace Distributed.Training.Tests.Conformance;

/// <summary>Loss curves of single-process PyTorch in FP32.</summary>
public sealed class CurveTests
{
    [SharedDataTheory]
    [InlineData("mlp_sgd")]
    [InlineData("lstm_sgd")]
    public void Train_ReferenceStart_StaysWithinTolerance(string name)
    {
        var curve = ReferenceCurve.Read(Path.Combine(Checkout.SharedData!, "..", "conformance", name + ".json"));
        var directory = Directory.CreateTempSubdirectory("dtrain-curve-").FullName;
        try
        {
            var start = new CurveStart(curve);
            start.Write(directory);
            Assert.Equal(curve.InitSha256, Convert.ToHexStringLower(SHA256.HashData(start.Weights)));
            Assert.Equal(curve.XSha256, Convert.ToHexStringLower(SHA256.HashData(start.X)));
            // The bits of any other number are those of one (WorldSizeTests).
            foreach (var ranks in (int[])[1, 3]) Check(curve, directory, ranks);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static void Check(ReferenceCurve curve, string directory, int ranks)
    {
        var checkpoints = Path.Combine(directory, $"checkpoints-{ranks}");
        var run = TrainingHarness.Run(Job(curve, directory), ranks, checkpoints);
        var path = run.Completed.Checkpoint;
        double[] loss = [.. run.Steps.Select(s => s.Loss)];
        Assert.Equal(curve.Steps, loss.Length);
        Assert.InRange(Deviation(loss, curve.Loss, 10), 0, curve.Tolerance["loss10_dev"]);
        Assert.InRange(Deviation(loss, curve.Loss, curve.Steps), 0, curve.Tolerance["loss_dev"]);
        using var weights = SafetensorsFile.Open(Path.Combine(path, "model.safetensors"));
        foreach (var expected in curve.Final)
        {
            var values = new float[weights.Find(expected.Name)!.Elements];
            weights.Read(expected.Name, System.Runtime.InteropServices.MemoryMarshal.AsBytes(values.AsSpan()));
            var l2 = Math.Sqrt(values.Sum(v => (double)v * v));
            Assert.InRange(Math.Abs(l2 - expected.L2) / expected.L2, 0, curve.Tolerance["l2_dev"]);
        }
    }

    private static double Deviation(double[] mine, double[] reference, int steps) =>
        Enumerable.Range(0, steps).Max(i => Math.Abs(mine[i] - reference[i]) / Math.Max(reference[i], 0.05));

    private static JobSpec Job(ReferenceCurve curve, string directory) => new()
    {
        Name = "curve",
        Model = curve.Model switch
        {
            "mlp" => ModelSpec.Of(new MlpOptions { Sizes = new([784, 2048, 2048, 10]) }, Path.Combine(directory, "init.safetensors")),
            "lstm" => ModelSpec.Of(
                new SentimentLstmOptions { Vocab = 1000, Embedding = 100, Hidden = 64 }, Path.Combine(directory, "init.safetensors")),
            _ => ModelSpec.Of(new SimpleCnnOptions(), Path.Combine(directory, "init.safetensors")),
        },
        Data = DataSpec.Of(new TensorsOptions(), Path.Combine(directory, "data.safetensors")),
        GlobalBatch = 64,
        MicroBatch = 8,
        Steps = curve.Steps,
        Shuffle = false,
        Optimizer = OptimizerSpec.Of(curve.Optimizer switch
        {
            "sgd" => new SgdOptions { Lr = curve.Lr, Momentum = curve.Momentum },
            "adam" => new AdamOptions { Lr = curve.Lr },
            _ => new AdamWOptions { Lr = curve.Lr, WeightDecay = 0 },
        }),
    };
}
