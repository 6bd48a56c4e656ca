using CsCheck;
using Distributed.Core.DataSets;
using Distributed.Core.Models;
using Distributed.Core.Optimizers;
using Distributed.Core.Spec;

namespace Distributed.Core.Tests.Spec;

public sealed class JobSpecJsonTests
{
    [Fact]
    public void Read_WhatWriteWrote_GivesTheJobBack() => JobSpecGen.Valid.Sample(spec =>
    {
        var result = JobSpecJson.Read(JobSpecJson.Write(spec));
        Assert.Empty(result.Errors);
        Assert.Equal(spec, result.Spec);
        Assert.Equal(JobSpecJson.Write(spec), JobSpecJson.Write(result.Spec!));
    });

    [Fact]
    public void Write_SmallJob_IsThisText()
    {
        var spec = JobSpecJson.Read(
            """{"name":"a","model":{"name":"simple-cnn"},"data":{"name":"shapes"},"globalBatch":8,"microBatch":2,"steps":5}""").Spec!;
        Assert.Equal(
            """{"name":"a","model":{"name":"simple-cnn","dropout":0}"""
            + ""","data":{"name":"shapes","samples":8000},"precision":"float32","globalBatch":8,"microBatch":2,"steps":5,"shuffle":true"""
            + ""","seed":0,"optimizer":{"name":"adamw","betas":[0.9,0.999],"eps":1E-08,"lr":0.001,"weightDecay":0.01,"noDecay":[]}"""
            + ""","schedule":{"name":"constant","warmupSteps":0},"workers":{"min":1,"device":"cpu","intraOpThreads":1,"overlap":true}"""
            + ""","exchange":"peer","checkpoint":{"keep":3}}""",
            JobSpecJson.Write(spec));
    }

    [Fact]
    public void ForResume_FreeSettings_MayChange()
    {
        var saved = Spec();
        var now = saved with
        {
            Steps = null,
            Epochs = 3,
            Workers = new() { Min = 2 },
            Checkpoint = new() { Path = "x" },
            Evaluate = new() { EverySteps = 1 },
            Limits = new() { Run = TimeSpan.FromHours(8) },
        };
        Assert.Empty(JobSpecDiff.ForResume(saved, now));
    }

    [Fact]
    public void ForResume_AnythingElse_IsShownWithBothValues()
    {
        var now = Spec() with { Seed = 7, ClipNorm = 1, Optimizer = OptimizerSpec.Of(new AdamWOptions { Betas = new([0.8, 0.9]) }) };
        Assert.Equal(
            [new("seed", "0", "7"), new("optimizer.betas", "[0.9, 0.999]", "[0.8, 0.9]"), new("clipNorm", null, "1")],
            JobSpecDiff.ForResume(Spec(), now));
    }

    private static JobSpec Spec() => new()
    {
        Name = "a",
        Model = ModelSpec.Of(new SimpleCnnOptions()),
        Data = DataSpec.Of(new ShapesOptions()),
        GlobalBatch = 8,
        MicroBatch = 2,
        Steps = 5,
    };
}
