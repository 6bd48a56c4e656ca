using System.Security.Cryptography;
using Distributed.Core.DataSets;
using Distributed.Training.Data;

namespace Distributed.Training.Tests.Data;

public class ShapesSetTests
{
    [Fact]
    public void Open_SameSeed_SameBytesNeverChange()
    {
        var spec = Specs.Of("shapes", seed: 42);
        spec = spec with { Data = spec.Data with { Options = new ShapesOptions { Samples = 100 } } };
        var (inputs, _) = Batches.Raw(DataSources.Open(spec).Train, [.. Enumerable.Range(0, 100)]);

        Assert.Equal("18d118949a806b25", Convert.ToHexStringLower(SHA256.HashData(inputs))[..16]);
    }

    [Fact]
    public void Open_Defaults_HoldsOutOneThousand()
    {
        var source = DataSources.Open(Specs.Of("shapes"));

        Assert.Equal((8_000, 1_000, 10), (source.Train.Count, source.Test!.Count, source.Classes));
        var labels = Batches.Labels(source.Train);
        Assert.All(Enumerable.Range(0, 10), c => Assert.Equal(800, labels.Count(l => l == c)));
        Assert.NotEqual(Batches.Raw(source.Train, [3]).Inputs, Batches.Raw(source.Test, [3]).Inputs);
    }

    [Fact]
    public void Open_MoreSamples_KeepsTheFirstOnes()
    {
        var spec = Specs.Of("shapes");
        var few = DataSources.Open(spec with { Data = spec.Data with { Options = new ShapesOptions { Samples = 20 } } }).Train;
        var many = DataSources.Open(spec with { Data = spec.Data with { Options = new ShapesOptions { Samples = 200 } } }).Train;

        Assert.Equal(Batches.Raw(few, [3, 19]).Inputs, Batches.Raw(many, [3, 19]).Inputs);
    }

    [Fact]
    public void Open_OtherSeed_OtherImages() =>
        Assert.NotEqual(
            Batches.Raw(DataSources.Open(Specs.Of("shapes", seed: 1)).Test!, [0]).Inputs,
            Batches.Raw(DataSources.Open(Specs.Of("shapes", seed: 2)).Test!, [0]).Inputs);
}
