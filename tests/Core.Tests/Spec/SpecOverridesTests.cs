using Distributed.Core.Documents;
using Distributed.Core.Spec;

namespace Distributed.Core.Tests.Spec;

public sealed class SpecOverridesTests
{
    [Fact]
    public void Apply_PathsAndValues_ReplaceAddAndMakeSections()
    {
        var root = JsonSpecNodes.Parse("""{"steps":1,"optimizer":{"lr":1}}""").Root!;
        foreach (var set in new[] { "steps=7", "optimizer.betas=[0.8, 0.9]", "a.b.c=\"x=y\"", "optimizer.noDecay=['*.bias', \"a,b\"]" })
            root = SpecOverrides.Apply(root, set).Root!;
        Assert.Equal(
            "{steps: 7, optimizer: {lr: 1, betas: [0.8, 0.9], noDecay: [*.bias, a,b]}, a: {b: {c: x=y}}}", SpecDescription.Value(root));
    }

    [Theory]
    [InlineData("steps")]
    [InlineData("=5")]
    [InlineData("a..b=5")]
    [InlineData("steps.x=5")]
    [InlineData("a=[1")]
    [InlineData("a=[1,,2]")]
    [InlineData("a=[[1]]")]
    [InlineData("a={b: 1}")]
    [InlineData("a=\"x")]
    public void Apply_BrokenAssignment_IsNamed(string assignment)
    {
        var result = SpecOverrides.Apply(JsonSpecNodes.Parse("""{"steps":1}""").Root!, assignment);
        Assert.StartsWith($"--set {assignment}: ", Assert.Single(result.Errors).Format("job.yaml"), StringComparison.Ordinal);
    }

    [Fact]
    public void Apply_WrongValue_IsBlamedOnTheAssignment()
    {
        var root = SpecOverrides.Apply(JsonSpecNodes.Parse("{}").Root!, "globalBatch=x").Root!;
        Assert.Contains(JobSpecReader.Read(root).Errors, error => error.Format("f")
            .StartsWith("--set globalBatch=x: globalBatch: found", StringComparison.Ordinal));
    }
}
