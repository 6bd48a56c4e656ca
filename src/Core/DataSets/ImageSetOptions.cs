using Distributed.Core.Options;

namespace Distributed.Core.DataSets;

/// <summary>CIFAR-10: 50,000 images of 3x32x32 in 10 classes.</summary>
public sealed record Cifar10Options : DataOptions
{
    public override DataContract Contract => new() { Image = [3, 32, 32], Classes = 10, MostSamples = 50_000 };
}

/// <summary>MNIST and sets of its form: 60,000 images of 1x28x28 in 10 classes.</summary>
public sealed record MnistOptions : DataOptions
{
    public override DataContract Contract => new() { Image = [1, 28, 28], Classes = 10, MostSamples = 60_000 };
}

/// <summary>Images of 3x32x32 in 10 classes that are drawn, the same ones for a seed.</summary>
public sealed record ShapesOptions : DataOptions
{
    [Option("training images to generate", Least = 1, Most = 1_000_000)]
    public int Samples { get; init; } = 8000;

    public override DataContract Contract =>
        new() { IsGenerated = true, Image = [3, 32, 32], Classes = 10, MostSamples = Samples, KeptBytes = 3 * 32 * 32 };
}
