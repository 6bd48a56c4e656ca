using Distributed.Core.Jobs;
using Distributed.Core.Models;
using Distributed.Core.Spec;
using Distributed.Testing;
using Distributed.Training.Data;
using Distributed.Training.Native;

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

    [Fact]
    public void Open_NoPath_IsSpecInvalid() =>
        Assert.Equal(ErrorCodes.SpecInvalid, Assert.Throws<JobException>(() => DataSources.Open(Specs.Of("mnist"))).Code);

    /// <summary>The job is over while its data are read: the slot is free before the whole set is in memory.</summary>
    [Fact]
    public void Open_AfterTheAbort_ReadsNoFurther() => EndsAtOnce(Specs.Of("shapes"));

    [SharedDataFact]
    public void Open_FilesAfterTheAbort_ReadsNoFurther()
    {
        foreach (var (data, path) in new[] { ("cifar10", "cifar-10-batches-bin"), ("mnist", "mnist"), ("imdb", "aclImdb.tar.gz"),
            ("text", Path.Combine("tinyshakespeare", "input.txt")) })
            EndsAtOnce(Specs.Of(data, Path.Combine(Checkout.SharedData!, path)) with
            {
                Model = ModelSpec.Of(new TransformerOptions { Vocab = 256, Sequence = 32, Width = 16, Heads = 2, Layers = 1 }),
            });
    }

    private static void EndsAtOnce(JobSpec spec)
    {
        using var ending = new CancellationTokenSource();
        ending.Cancel();
        AbortSignal.Follow(ending.Token);
        try
        {
            Assert.ThrowsAny<OperationCanceledException>(() => DataSources.Open(spec));
        }
        finally
        {
            AbortSignal.Follow(CancellationToken.None);
        }
    }

    [Fact]
    public void Open_ModelWithFewerOutputsThanClasses_IsSpecInvalid()
    {
        var spec = Specs.Of("shapes") with { Model = ModelSpec.Of(new MlpOptions { Sizes = new([3072, 9]) }) };

        Assert.Contains(
            "distinguishes 9 classes, but data set 'shapes' has 10", Assert.Throws<JobException>(() => DataSources.Open(spec)).Message,
            StringComparison.Ordinal);
    }
}
