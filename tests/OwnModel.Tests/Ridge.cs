using System.Runtime.InteropServices;
using Distributed.Core.DataSets;
using Distributed.Core.Documents;
using Distributed.Core.Models;
using Distributed.Core.Options;
using Distributed.Training.Data;
using Distributed.Training.Models;
using Distributed.Training.Native;
using Distributed.Training.Parameters;
using TorchSharp;
using static TorchSharp.torch;

namespace Distributed.OwnModel.Tests;

/// <summary>A model that no other project knows: all there is of it, but for its line in the catalog.</summary>
internal sealed record RidgeOptions : ModelOptions, IModelSource
{
    [Option("probability of zeroing an input", Number = NumberKind.BelowOne)]
    public double Dropout { get; init; } = 0.25;

    [Option("numbers of a sample", Least = 1, Most = 10_000)]
    public required int Inputs { get; init; }

    [Option("classes", Least = 2, Most = 100)]
    public required int Outputs { get; init; }

    [Option("what is added to the logits", Words = ["nothing", "bias"])]
    public string Added { get; init; } = "bias";

    public override ModelContract Contract =>
        new() { Takes = $"{Inputs} numbers", Elements = Inputs, Labels = LabelKind.Class, Classes = Outputs };

    public override double ParameterCount => (Inputs + (HasBias ? 1.0 : 0)) * Outputs;

    public bool HasBias => Added == "bias";

    public override double OutputCount(double tokens) => Outputs;

    public override void Check(IOptionErrors model)
    {
        if (Outputs > Inputs && Inputs > 0) model.Fail("outputs", $"found {Outputs}, expected at most inputs, {Inputs}");
    }

    public IModel Create() => new Ridge(this);
}

internal sealed class Ridge(RidgeOptions options) : IModel
{
    public IReadOnlyList<ParameterSpec> Parameters { get; } =
    [
        new("out.weight", [options.Outputs, options.Inputs], Initialisation.FanIn(options.Inputs), Lowered: true),
        .. options.HasBias ? new ParameterSpec[] { new("out.bias", [options.Outputs], Initialisation.Zeros, Lowered: true) } : [],
    ];

    public ImageLayout InputLayout => ImageLayout.ChannelsFirst;

    public ILoss Loss { get; } = new CrossEntropyLoss();

    public double Dropout => options.Dropout;

    public Tensor Forward(IReadOnlyList<Tensor> parameters, Tensor input, DropoutMask dropout)
    {
        var x_BI = dropout.Apply(input.flatten(1));
        return parameters.Count == 2 ? Aten.Linear(x_BI, parameters[0], parameters[1]) : x_BI.matmul(parameters[0].t());
    }
}

/// <summary>A data set that no other project knows: rows of numbers whose largest one is their class.</summary>
internal sealed record PeaksOptions : DataOptions, IDataSource
{
    [Option("rows", Least = 1, Most = 100_000)]
    public int Rows { get; init; } = 64;

    public override DataContract Contract =>
        new() { IsGenerated = true, Image = [1, 1, 8], Labels = LabelKind.Class, Classes = 8, MostSamples = Rows, KeptBytes = 32 };

    public DataSource Open(Core.Spec.JobSpec spec)
    {
        var random = new Random((int)spec.Seed);
        var inputs = Enumerable.Range(0, Rows * 8).Select(_ => random.NextSingle()).ToArray();
        var labels = Enumerable.Range(0, Rows)
            .Select(row => (long)Array.IndexOf(inputs, inputs[(row * 8)..((row + 1) * 8)].Max(), row * 8) - (row * 8)).ToArray();
        return new DataSource(new Split(inputs, labels), Test: null, Endless: false, 8) { Sha256 = $"peaks {Rows} {spec.Seed}" };
    }

    private sealed class Split(float[] inputs, long[] labels) : IDataSplit
    {
        public int Count => labels.Length;

        public SampleFormat Input { get; } = new(new([1, 1, 8]), ElementKind.Float32);

        public SampleFormat Label { get; } = SampleFormat.Scalar(ElementKind.Int64);

        public bool IsImage => false;

        public void Fill(
            ReadOnlySpan<int> samples, Span<byte> inputBytes, Span<byte> labelBytes, ImageLayout layout,
            Core.Samples.CounterRandom? augment)
        {
            for (var i = 0; i < samples.Length; i++)
            {
                inputs.AsSpan(samples[i] * 8, 8).CopyTo(MemoryMarshal.Cast<byte, float>(inputBytes)[(i * 8)..]);
                MemoryMarshal.Cast<byte, long>(labelBytes)[i] = labels[samples[i]];
            }
        }
    }
}
