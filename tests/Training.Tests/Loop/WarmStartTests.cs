using System.Runtime.InteropServices;
using Distributed.Core.Checkpoints;
using Distributed.Core.DataSets;
using Distributed.Core.Events;
using Distributed.Core.Models;
using Distributed.Core.Spec;
using Distributed.Testing.Training;

namespace Distributed.Training.Tests.Loop;

/// <summary>Weights of other programs: what can be used is, what cannot is named.</summary>
public sealed class WarmStartTests : IDisposable
{
    private static readonly (string Name, long[] Shape)[] Parameters =
        [("fc1.weight", [2, 4]), ("fc1.bias", [2]), ("fc2.weight", [3, 2]), ("fc2.bias", [3])];

    private readonly string directory = Directory.CreateTempSubdirectory("dtrain-warm-").FullName;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Theory]
    [InlineData(TensorDtype.F16)]
    [InlineData(TensorDtype.BF16)]
    [InlineData(TensorDtype.F64)]
    public void Start_OtherFloats_AreConvertedAndSaidOnce(TensorDtype dtype)
    {
        var plain = Train(Weights());
        var run = Train(Weights(dtype));

        Assert.Equal(plain.Hash, run.Hash);
        Assert.Contains($"4 of 4 parameters of", Assert.Single(Warnings(run)), StringComparison.Ordinal);
        Assert.Contains($"are {dtype.Word()}; they were converted to F32", Warnings(run)[0], StringComparison.Ordinal);
        Assert.Empty(Warnings(plain));
    }

    [Theory]
    [InlineData("module.")]
    [InlineData("_orig_mod.")]
    [InlineData("module._orig_mod.")]
    [InlineData("_orig_mod.module.")]
    public void Start_NamesOfWrappedModels_Fit(string prefix)
    {
        var run = Train(Weights(name: name => prefix + name));

        Assert.Equal(Train(Weights()).Hash, run.Hash);
        Assert.Empty(Warnings(run));
    }

    [Fact]
    public void Start_TensorsOfNoParameter_AreIgnoredWithAWarning()
    {
        var run = Train([.. Weights(), Raw("module.scales", TensorDtype.F8E8M0, 5), Raw("mask", TensorDtype.Bool, 2)]);

        Assert.Equal(Train(Weights()).Hash, run.Hash);
        Assert.Contains(
            "2 tensor(s) that the model has no parameter for; they are ignored: module.scales F8_E8M0 [5], mask BOOL [2]",
            Assert.Single(Warnings(run)), StringComparison.Ordinal);
    }

    [Fact]
    public void Start_WhatCannotBeUsed_IsNamedByTensorTypeAndShape()
    {
        Refused(
            "tensor \"fc1.bias\" is F8_E4M3 [2]; expected F32, F16, BF16 or F64 [2]",
            Replace("fc1.bias", Raw("fc1.bias", TensorDtype.F8E4M3, 2)));
        Refused(
            "tensor \"module.fc1.bias\" is I64 [2]; expected F32, F16, BF16 or F64 [2]",
            Replace("fc1.bias", Raw("module.fc1.bias", TensorDtype.I64, 2)));
        Refused(
            "tensor \"fc1.bias\" is F32 [7]; expected F32, F16, BF16 or F64 [2]", Replace("fc1.bias", Raw("fc1.bias", TensorDtype.F32, 7)));
        Refused(
            "has no tensor \"fc1.bias\"; expected F32, F16, BF16 or F64 [2]. It holds fc1.weight F32 [2, 4],",
            Replace("fc1.bias", Raw("bias", TensorDtype.F32, 2)));
        Refused(
            "tensors \"fc1.bias\" and \"module.fc1.bias\" are all \"fc1.bias\" without the prefixes",
            [.. Weights(), Raw("module.fc1.bias", TensorDtype.F32, 2)]);
    }

    [Theory]
    [InlineData(TensorDtype.F32, float.NaN, "NaN")]
    [InlineData(TensorDtype.F16, float.PositiveInfinity, "Infinity")]
    [InlineData(TensorDtype.BF16, float.NegativeInfinity, "-Infinity")]
    [InlineData(TensorDtype.F64, 1e300, "1E+300, which float32 cannot hold")]
    public void Start_WeightsThatAreNotFinite_AreRefusedWithTheirPlace(TensorDtype dtype, double value, string found) =>
        Refused(
            $"tensor \"fc2.weight\", position [1, 0]: {found}, expected a finite number",
            Weights(dtype, spoil: (name, i) => name == "fc2.weight" && i == 2 ? value : null));

    private void Refused(string expected, (TensorShape, byte[])[] tensors)
    {
        var run = Train(tensors);
        Assert.Equal("data-invalid", run.Error!.Code);
        Assert.Contains(expected, run.Error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("damaged", run.Error.Message, StringComparison.Ordinal);
        Assert.Empty(run.Steps);
    }

    private static (TensorShape, byte[])[] Replace(string name, (TensorShape, byte[]) other) =>
        [.. Weights().Where(t => t.Item1.Name != name), other];

    private static (TensorShape, byte[]) Raw(string name, TensorDtype dtype, int elements) =>
        (new(name, dtype, new([elements])), new byte[elements * dtype.Bits() / 8]);

    /// <summary>Values that every type holds exactly.</summary>
    private static (TensorShape, byte[])[] Weights(
        TensorDtype dtype = TensorDtype.F32, Func<string, string>? name = null, Func<string, int, double?>? spoil = null) =>
    [
        .. Parameters.Select(p =>
        {
            var values = Enumerable.Range(0, (int)p.Shape.Aggregate(1L, (a, b) => a * b))
                .Select(i => spoil?.Invoke(p.Name, i) ?? (((i * 5) % 7) - 3) / 4.0);
            return (new TensorShape(name?.Invoke(p.Name) ?? p.Name, dtype, new(p.Shape)),
                values.SelectMany(x => Bytes(dtype, x)).ToArray());
        }),
    ];

    private static byte[] Bytes(TensorDtype dtype, double value) => dtype switch
    {
        TensorDtype.F16 => BitConverter.GetBytes((Half)value),
        TensorDtype.BF16 => BitConverter.GetBytes(BitConverter.SingleToUInt32Bits((float)value))[2..],
        TensorDtype.F64 => BitConverter.GetBytes(value),
        _ => BitConverter.GetBytes((float)value),
    };

    private static List<string> Warnings(RunOutcome run) => [.. run.Events.OfType<WarningEvent>().Select(w => w.Message)];

    private RunOutcome Train((TensorShape, byte[])[] weights) => TrainingHarness.Run(
        new JobSpec
        {
            Name = "warm",
            Model = ModelSpec.Of(new MlpOptions { Sizes = new([4, 2, 3]) }, Write("weights", weights)),
            Data = DataSpec.Of(new TensorsOptions(), Write("data", Data())),
            GlobalBatch = 4,
            MicroBatch = 2,
            Steps = 2,
        },
        1);

    private static (TensorShape, byte[])[] Data() =>
    [
        (new("x", TensorDtype.F32, new([8, 4])),
            MemoryMarshal.AsBytes(Enumerable.Range(0, 32).Select(i => i / 32f).ToArray().AsSpan()).ToArray()),
        (new("y", TensorDtype.I64, new([8])),
            MemoryMarshal.AsBytes(Enumerable.Range(0, 8).Select(i => i % 3L).ToArray().AsSpan()).ToArray()),
    ];

    private string Write(string name, (TensorShape Shape, byte[] Data)[] tensors)
    {
        var path = Path.Combine(directory, name + ".safetensors");
        using var stream = File.Create(path);
        SafetensorsWriter.Write(stream, [.. tensors.Select(t => t.Shape)], null, (i, sink) => sink.Write(tensors[i].Data));
        return path;
    }
}
