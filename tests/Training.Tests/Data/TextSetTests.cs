using System.Runtime.InteropServices;
using Distributed.Core.DataSets;
using Distributed.Core.Jobs;
using Distributed.Core.Models;
using Distributed.Core.Spec;
using Distributed.Testing;
using Distributed.Training.Data;

namespace Distributed.Training.Tests.Data;

public sealed class TextSetTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public void Open_Bytes_AreCutIntoInputsAndWhatFollows()
    {
        var source = Open([.. Enumerable.Range(0, 23).Select(i => (byte)(i * 11))], vocab: 256, sequence: 3);

        Assert.Equal((4, 1, false), (source.Train.Count, source.Test!.Count, source.Endless));
        Assert.Equal([3L], source.Train.Input.Shape);
        Assert.Equal(source.Train.Input, source.Train.Label);
        var (inputs, labels) = Read(source.Train, [2, 0]);
        Assert.Equal([88L, 99, 110, 0, 11, 22], inputs);
        Assert.Equal([99L, 110, 121, 11, 22, 33], labels);
        (inputs, labels) = Read(source.Test, [0]);
        Assert.Equal([176L, 187, 198], inputs);
        Assert.Equal([187L, 198, 209], labels);
    }

    [Theory]
    [InlineData(2, 1, 1)]
    [InlineData(19, 18, 1)]
    [InlineData(20, 18, 2)]
    [InlineData(105, 95, 10)]
    public void Open_LastTenth_IsHeldOut(int samples, int train, int test)
    {
        var source = Open(new byte[samples * 5], vocab: 1, sequence: 9, length: 4);

        Assert.Equal((train, test), (source.Train.Count, source.Test!.Count));
    }

    [Fact]
    public void Open_MoreThanOneRead_IsWhole()
    {
        var bytes = new byte[7 * 300_000];
        bytes[^1] = 200;
        bytes[1 << 20] = 3;
        var source = Open(bytes, vocab: 201, sequence: 6);

        Assert.Equal(200, Read(source.Test!, [source.Test!.Count - 1]).Labels[^1]);
        Refused("byte offset 1048576: 3, expected 0 to 2; model.vocab is 3; 256 takes any file", bytes, vocab: 3, sequence: 6);
    }

    [Fact]
    public void Open_WhatCannotBeTrainedOn_IsNamed()
    {
        Refused("0 bytes make 0 samples of 5; expected 2", [], vocab: 256, sequence: 4);
        Refused("9 bytes make 1 samples of 5; expected 2", new byte[9], vocab: 256, sequence: 4);
        Refused("byte offset 7: 128, expected 0 to 127; model.vocab is 128", [1, 2, 3, 4, 127, 6, 7, 128, 9, 10], vocab: 128, sequence: 4);

        var error = Assert.Throws<JobException>(() => DataSources.Open(Spec(directory.Path, 256, 4, null)));
        Assert.Equal(ErrorCodes.DataInvalid, error.Code);
        Assert.Contains("is a folder", error.Message, StringComparison.Ordinal);
        error = Assert.Throws<JobException>(() => DataSources.Open(Spec("/dev/zero", 256, 4, null)));
        Assert.Equal(
            (ErrorCodes.DataInvalid, "/dev/zero: cannot be read (it is a pipe, a socket or a device, not a file)."),
            (error.Code, error.Message));
    }

    private void Refused(string expected, byte[] text, int vocab, int sequence)
    {
        var error = Assert.Throws<JobException>(() => Open(text, vocab, sequence));

        Assert.Equal(ErrorCodes.DataInvalid, error.Code);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.Contains("text.txt", error.Message, StringComparison.Ordinal);
    }

    private DataSource Open(byte[] text, int vocab, int sequence, int? length = null)
    {
        File.WriteAllBytes(directory.File("text.txt"), text);
        return DataSources.Open(Spec(directory.File("text.txt"), vocab, sequence, length));
    }

    private static JobSpec Spec(string path, int vocab, int sequence, int? length)
    {
        var spec = Specs.Of("text", path) with
        {
            Model = ModelSpec.Of(new TransformerOptions { Vocab = vocab, Sequence = sequence, Width = 4, Layers = 1, Heads = 1 }),
        };
        return spec with { Data = spec.Data with { Options = new TextOptions { Length = length } } };
    }

    private static (long[] Inputs, long[] Labels) Read(IDataSplit split, int[] samples)
    {
        var (inputs, labels) = Batches.Raw(split, samples);
        return (MemoryMarshal.Cast<byte, long>(inputs).ToArray(), MemoryMarshal.Cast<byte, long>(labels).ToArray());
    }
}
