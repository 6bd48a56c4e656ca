using Distributed.Core;
using Distributed.Core.Jobs;
using Distributed.Training.Data;

namespace Distributed.Training.Tests.Data;

public class DataSourcesTests
{
    [Theory]
    [InlineData("cifar10")]
    [InlineData("mnist")]
    [InlineData("imdb")]
    [InlineData("text")]
    [InlineData("tensors")]
    public void Open_PathThatIsNotThere_IsPathMissing(string data)
    {
        var error = Assert.Throws<JobException>(() => DataSources.Open(Specs.Of(data, "/no/such/place")));

        Assert.Equal(ErrorCodes.PathMissing, error.Code);
        Assert.Contains("/no/such/place", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("imagenet", "/")]
    [InlineData("mnist", null)]
    public void Open_UnknownSetOrNoPath_IsSpecInvalid(string data, string? path) =>
        Assert.Equal(ErrorCodes.SpecInvalid, Assert.Throws<JobException>(() => DataSources.Open(Specs.Of(data, path))).Code);

    [Fact]
    public void Open_ModelWithFewerOutputsThanClasses_IsSpecInvalid()
    {
        var spec = Specs.Of("shapes") with { Model = new ModelSpec { Name = "mlp", Sizes = new([3072, 9]) } };

        Assert.Contains(
            "ends with 9", Assert.Throws<JobException>(() => DataSources.Open(spec)).Message, StringComparison.Ordinal);
    }
}
