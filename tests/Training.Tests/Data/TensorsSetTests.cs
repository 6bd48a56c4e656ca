using System.Runtime.InteropServices;
using Distributed.Core.Checkpoints;
using Distributed.Core.DataSets;
using Distributed.Core.Jobs;
using Distributed.Core.Models;
using Distributed.Core.Spec;
using Distributed.Core.Values;
using Distributed.Testing;
using Distributed.Training.Data;

namespace Distributed.Training.Tests.Data;

public sealed class TensorsSetTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    private static readonly ModelSpec Mlp = ModelSpec.Of(new MlpOptions { Sizes = new([4, 8, 3]) });

    private static readonly ModelSpec Lstm = ModelSpec.Of(new SentimentLstmOptions { Vocab = 50, Embedding = 4, Hidden = 4 });

    private static readonly ModelSpec Transformer = ModelSpec.Of(
        new TransformerOptions { Width = 4, Layers = 1, Heads = 1, Vocab = 10, Sequence = 3 });

    [Fact]
    public void Open_FloatsAndClasses_ReadsRowsInPlace()
    {
        var source = Open(Mlp, Floats("x", [3, 4], i => i), Longs("y", [3], i => i));

        Assert.Equal((3, true, 3, null), (source.Train.Count, source.Endless, source.Classes, source.Test));
        var (inputs, labels) = Batches.Floats(source.Train, [2, 0]);
        Assert.Equal([8, 9, 10, 11, 0, 1, 2, 3], inputs);
        Assert.Equal([2, 0], labels);
    }

    [Fact]
    public void Open_Images_ChannelsLastIsTransposed()
    {
        var source = Open(ModelSpec.Of(new SimpleCnnOptions()), Floats("x", [2, 3, 32, 32], i => i), Longs("y", [2], i => i));
        var last = Batches.Floats(source.Train, [1], ImageLayout.ChannelsLast).Inputs;

        Assert.True(source.Train.IsImage);
        Assert.Equal([3072f, 4096f, 5120f, 3073f], last[..4]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Open_TokensAndBinaryLabels_LabelsAreFloats(bool floats)
    {
        var y = floats ? Floats("y", [2, 1], i => i) : Longs("y", [2], i => i);
        var source = Open(Lstm, Longs("x", [2, 3], i => i * 9), y);
        var (inputs, labels) = Batches.Raw(source.Train, [1]);

        Assert.Equal(SampleFormat.Scalar(ElementKind.Float32), source.Train.Label);
        Assert.Equal([27L, 36, 45], MemoryMarshal.Cast<byte, long>(inputs).ToArray());
        Assert.Equal([1f], MemoryMarshal.Cast<byte, float>(labels).ToArray());
    }

    [Fact]
    public void Open_TokensAndNextTokens_AreReadAsTheyAre()
    {
        var source = Open(Transformer, Longs("x", [2, 3], i => i), Longs("y", [2, 3], i => i + 1));
        var (inputs, labels) = Batches.Raw(source.Train, [1]);

        Assert.Equal([3L, 4, 5], MemoryMarshal.Cast<byte, long>(inputs).ToArray());
        Assert.Equal([4L, 5, 6], MemoryMarshal.Cast<byte, long>(labels).ToArray());
    }

    [Fact]
    public void Open_WhatTheModelCannotUse_IsNamed()
    {
        var x = Floats("x", [2, 4], i => i);
        var y = Longs("y", [2], i => i);
        var tokens = Longs("x", [2, 3], i => i);

        Refused("no tensor \"y\"", Mlp, x);
        Refused("no tensor \"x\"", Mlp, y);
        Refused("same number", Mlp, x, Longs("y", [3], i => i));
        Refused("same number", Mlp, Floats("x", [0, 4], i => i), Longs("y", [0], i => i));
        Refused("4 numbers per sample", Mlp, Floats("x", [2, 5], i => i), y);
        Refused("the model needs F32", Mlp, tokens, y);
        Refused("one class number", Mlp, x, Floats("y", [2], i => i));
        Refused("one class number", Mlp, x, Longs("y", [2, 1], i => i));
        Refused("y, sample 1, position 0: 3, expected 0 to 2; the model has 3 classes", Mlp, x, Longs("y", [2], i => i * 3));
        Refused("y, sample 0, position 0: -1", Mlp, x, Longs("y", [2], i => i - 1));
        Refused("x, sample 1, position 2: 50, expected 0 to 49; model.vocab is 50", Lstm, Longs("x", [2, 3], i => i * 10), y);
        Refused("one number per sample", Lstm, tokens, Longs("y", [2, 2], i => 0));
        Refused("label 2, expected 0 to 1", Lstm, tokens, Longs("y", [2], i => i * 2));
        Refused("label NaN", Lstm, tokens, Floats("y", [2], _ => float.NaN));
        Refused("1 to 3 tokens per sample", Transformer, Longs("x", [2, 4], i => 0), Longs("y", [2, 4], i => 0));
        Refused("the shape of x", Transformer, Longs("x", [2, 3], i => 0), Longs("y", [2], i => 0));
        Refused("the shape of x", Transformer, Longs("x", [2, 3], i => 0), Longs("y", [2, 2], i => 0));
        Refused("the shape of x", Transformer, Longs("x", [2, 3], i => 0), Floats("y", [2, 3], i => 0));
        Refused("x, sample 1, position 2: 10, expected 0 to 9", Transformer, Longs("x", [2, 3], i => i * 2), Longs("y", [2, 3], i => 0));
        Refused(
            "y, sample 1, position 2: 10, expected 0 to 9; model.vocab is 10", Transformer, Longs("x", [2, 3], i => 0),
            Longs("y", [2, 3], i => i * 2));
        Refused(
            "x, sample 1, position 2: NaN, expected a finite number; correct it, or set data.allowNonFinite", Mlp,
            Floats("x", [2, 4], i => i == 6 ? float.NaN : i), y);
        Refused("x, sample 0, position 0: -Infinity", Mlp, Floats("x", [2, 4], _ => float.NegativeInfinity), y);
        Refused(
            "tensor x F8_E4M3 [2, 4]; expected F32 or I64", Mlp, (new TensorShape("x", TensorDtype.F8E4M3, new([2, 4])), new byte[8]), y);
        Refused("tensor y BOOL [2]; expected F32 or I64", Mlp, x, (new TensorShape("y", TensorDtype.Bool, new([2])), new byte[2]));
        Refused("expected F32 or I64", Mlp, (new TensorShape("x", TensorDtype.F64, new([2, 4])), new byte[64]), y);
    }

    [Fact]
    public void Open_TensorsBesideXAndY_AreIgnoredWithANote()
    {
        var source = Open(
            Mlp, Floats("x", [2, 4], i => i), Longs("y", [2], i => i), (new TensorShape("q", TensorDtype.F8E5M2, new([3])), new byte[3]));
        Assert.Contains("q F8_E5M2 [3]", Assert.Single(source.Warnings), StringComparison.Ordinal);
        Assert.Empty(Open(Mlp, Floats("x", [2, 4], i => i), Longs("y", [2], i => i)).Warnings);
    }

    [Fact]
    public void Open_NonFiniteInputsThatAreAllowed_AreRead()
    {
        Open(Mlp, Floats("x", [2, 4], i => i), Longs("y", [2], i => i));
        var path = directory.File("data.safetensors");
        var bytes = File.ReadAllBytes(path);
        BitConverter.TryWriteBytes(bytes.AsSpan(bytes.Length - 16 - 4), float.NaN);
        File.WriteAllBytes(path, bytes);
        var spec = Specs.Of("tensors", path) with { Model = Mlp };
        Assert.Throws<JobException>(() => DataSources.Open(spec));
        Assert.Equal(float.NaN, Batches.Floats(
            DataSources.Open(spec with { Data = spec.Data with { Options = new TensorsOptions { AllowNonFinite = true } } }).Train,
            [1]).Inputs[3]);
    }

    [Fact]
    public void Open_NoSafetensors_IsDataInvalid()
    {
        File.WriteAllText(directory.File("x.safetensors"), "this is a text, not a tensor");

        Assert.Equal(
            ErrorCodes.DataInvalid,
            Assert.Throws<JobException>(() => DataSources.Open(Specs.Of("tensors", directory.File("x.safetensors")))).Code);
    }

    private void Refused(string expected, ModelSpec model, params (TensorShape Shape, byte[] Data)[] tensors)
    {
        var error = Assert.Throws<JobException>(() => Open(model, tensors));

        Assert.Equal(ErrorCodes.DataInvalid, error.Code);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    private DataSource Open(ModelSpec model, params (TensorShape Shape, byte[] Data)[] tensors)
    {
        var path = directory.File("data.safetensors");
        using (var stream = File.Create(path))
            SafetensorsWriter.Write(stream, [.. tensors.Select(t => t.Shape)], null, (i, sink) => sink.Write(tensors[i].Data));
        return DataSources.Open(Specs.Of("tensors", path) with { Model = model });
    }

    private static (TensorShape, byte[]) Floats(string name, long[] shape, Func<int, float> value) =>
        (new(name, TensorDtype.F32, new(shape)), MemoryMarshal.AsBytes<float>(Values(shape, value)).ToArray());

    private static (TensorShape, byte[]) Longs(string name, long[] shape, Func<int, long> value) =>
        (new(name, TensorDtype.I64, new(shape)), MemoryMarshal.AsBytes<long>(Values(shape, value)).ToArray());

    private static T[] Values<T>(long[] shape, Func<int, T> value) =>
        [.. Enumerable.Range(0, (int)shape.Aggregate(1L, (a, b) => a * b)).Select(value)];
}
