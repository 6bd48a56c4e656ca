using System.Runtime.CompilerServices;
using Distributed.Core.Options;
using Distributed.Core.Spec;
using Distributed.Testing.Training;
using Distributed.Training.Native;

namespace Distributed.OwnModel.Tests;

/// <summary>A model and a data set that only this project knows are read, checked and trained like the built-in ones.</summary>
public sealed class OwnModelTests
{
    private const string Job = """
        {"name":"own","model":{"name":"ridge","inputs":8,"outputs":8},"data":{"name":"peaks","rows":50},"globalBatch":16,"microBatch":4,"epochs":3,"seed":5}
        """;

    [ModuleInitializer]
    internal static void Register()
    {
        NativeRuntime.Initialize();
        JobCatalog.Extend(catalog => catalog with
        {
            Models = catalog.Models.With(Descriptor.Of<RidgeOptions>("ridge", "One linear layer.")),
            DataSets = catalog.DataSets.With(Descriptor.Of<PeaksOptions>("peaks", "Rows whose largest number is their class.")),
        });
    }

    [Fact]
    public void Read_OwnNames_HaveOptionsWithDefaults()
    {
        var spec = Read(Job);
        Assert.Equal(new RidgeOptions { Inputs = 8, Outputs = 8 }, spec.Model.Options);
        Assert.Equal(new PeaksOptions { Rows = 50 }, spec.Data.Options);
        Assert.Equal(spec, Read(JobSpecJson.Write(spec)));
        Assert.Equal(72, JobMemory.Of(spec, 1).Weights / 12);
    }

    [Theory]
    [InlineData("\"outputs\":8", "\"outputs\":8,\"depth\":3", 1, "model.depth", "unknown key")]
    [InlineData("\"outputs\":8", "\"outputs\":9", 1, "model.outputs", "found 9, expected at most inputs, 8")]
    [InlineData("\"outputs\":8", "\"outputs\":1", 1, "model.outputs", "found 1, expected a whole number from 2 to 100")]
    [InlineData("\"inputs\":8,", "", 1, "model.inputs", "missing, expected numbers of a sample: ridge needs inputs and outputs")]
    [InlineData("\"outputs\":8", "\"outputs\":8,\"added\":\"noise\"", 1, "model.added", "expected one of nothing, bias")]
    [InlineData("\"outputs\":8", "\"outputs\":8,\"sizes\":[8,8]", 1, "model.sizes", "belongs to model mlp, not to ridge")]
    [InlineData("\"outputs\":8", "\"outputs\":8,\"hidden\":8", 1, "model.hidden", "belongs to model sentiment-lstm, not to ridge")]
    [InlineData("\"rows\":50", "\"rows\":50,\"path\":\"d\"", 1, "data.path", "data peaks is generated and reads no file")]
    [InlineData(
        "\"peaks\",\"rows\":50", "\"imdb\",\"path\":\"d\"", 1, "data.name",
        "found imdb with model ridge, which takes 8 numbers, expected cifar10, mnist, tensors, shapes or peaks")]
    [InlineData("\"ridge\"", "\"ridg\"", 1, "model.name", "did you mean ridge?")]
    public void Read_WrongOption_IsNamedWithPlace(string text, string by, int line, string path, string message)
    {
        Assert.Contains(text, Job, StringComparison.Ordinal);
        var error = Assert.Single(JobSpecJson.Read(Job.Replace(text, by, StringComparison.Ordinal)).Errors);
        Assert.Equal((line, path), (error.Line, error.Path));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("bias", Precision.Float32)]
    [InlineData("bias", Precision.MixedBFloat16)]
    [InlineData("nothing", Precision.Float32)]
    public void Train_AnyNumberOfRanks_GivesTheSameWeights(string added, Precision precision)
    {
        var job = Read(Job) with { Precision = precision };
        job = job with { Model = job.Model with { Options = (RidgeOptions)job.Model.Options with { Added = added } } };
        var hashes = Enumerable.Range(1, 4).Select(ranks => Train(job, ranks)).ToList();
        Assert.All(hashes, hash => Assert.Equal(hashes[0], hash));
    }

    private static JobSpec Read(string json) => JobSpecJson.Read(json) is { Spec: { } spec }
        ? spec
        : throw new InvalidOperationException(string.Join('\n', JobSpecJson.Read(json).Errors));

    private static string Train(JobSpec spec, int ranks)
    {
        var run = TrainingHarness.Run(spec, ranks);
        Assert.Null(run.Error);
        Assert.Equal(12, run.Steps.Count);
        Assert.True(run.Steps[^1].Loss < run.Steps[0].Loss, $"{run.Steps[0].Loss} to {run.Steps[^1].Loss}");
        return run.Hash;
    }
}
