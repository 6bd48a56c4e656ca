using CsCheck;
using Distributed.Client.Files;
using Distributed.Core.DataSets;
using Distributed.Core.Models;
using Distributed.Core.Optimizers;
using Distributed.Core.Schedules;
using Distributed.Core.Spec;

namespace Distributed.Client.Tests.JobFiles;

public sealed class JobFileTests : IDisposable
{
    private const string Full = """
        name: cifar10
        model: { name: simple-cnn, dropout: 0.0, weights: init.safetensors }   # a comment
        data: { name: cifar10, path: data/cifar-10-batches-bin }
        precision: mixed_bfloat16
        globalBatch: 256
        microBatch: 32
        steps: 500
        shuffle: true
        seed: 42
        normalize: { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] }
        augment: { flip: true, crop: 4 }
        optimizer: { name: adamw, lr: 0.001, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0.01, noDecay: ["*.bias"] }
        schedule: { name: cosine, warmupSteps: 100 }
        clipNorm: 1.0
        lossScale: { policy: torch, init: 65536, growth: 2, backoff: 0.5, interval: 2000, min: null, max: null, hysteresis: 1, maxConsecutiveSkips: 100 }
        workers: { min: 1, max: 4, device: cpu, intraOpThreads: 1 }
        checkpoint: { path: checkpoints/cifar10, everySteps: 100, keep: 3 }
        evaluate:
          everySteps: 100
        """;

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("jobfile");

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public void Read_FullYaml_GivesEverySettingAndAbsolutePaths()
    {
        var result = JobFile.Read(Write("job.yaml", Full), []);
        Assert.Empty(result.Errors);
        var expected = new JobSpec
        {
            Name = "cifar10",
            Model = ModelSpec.Of(new SimpleCnnOptions(), Path.Combine(folder.FullName, "init.safetensors")),
            Data = DataSpec.Of(new Cifar10Options(), Path.Combine(folder.FullName, "data/cifar-10-batches-bin")),
            Precision = Precision.MixedBFloat16,
            GlobalBatch = 256,
            MicroBatch = 32,
            Steps = 500,
            Seed = 42,
            Normalize = new() { Mean = new([0.5, 0.5, 0.5]), Std = new([0.5, 0.5, 0.5]) },
            Augment = new() { Flip = true, Crop = 4 },
            Optimizer = OptimizerSpec.Of(new AdamWOptions { WeightDecay = 0.01, NoDecay = new(["*.bias"]) }),
            Schedule = ScheduleSpec.Of(new CosineOptions { WarmupSteps = 100 }),
            ClipNorm = 1,
            LossScale = new(),
            Workers = new() { Max = 4 },
            Checkpoint = new() { Path = Path.Combine(folder.FullName, "checkpoints/cifar10"), EverySteps = 100 },
            Evaluate = new() { EverySteps = 100 },
        };
        Assert.Equal(expected, result.Spec);
    }

    [Fact]
    public void Read_TheSameJobAsJson_GivesTheSame()
    {
        var spec = JobFile.Read(Write("job.yaml", Full), []).Spec!;
        foreach (var name in new[] { "job.json", "json-in.yaml" })
            Assert.Equal(spec, JobFile.Read(Write(name, JobSpecJson.Write(spec)), []).Spec);
    }

    [Fact]
    public void Read_Overrides_ApplyInOrderAndBadOnesAreAllNamed()
    {
        var path = Write("job.yaml", Full);
        var spec = JobFile.Read(path, ["steps=7", "steps=8", "optimizer.betas=[0.8, 0.9]", "evaluate=null"]).Spec!;
        Assert.Equal((8L, new([0.8, 0.9]), null), (spec.Steps, ((AdamWOptions)spec.Optimizer.Options).Betas, spec.Evaluate));
        Assert.Equal(
            ["--set steps=x: steps: found the text 'x', expected a whole number from 1 to 1000000000000",
                "--set nonsense: expected key=value with a dotted key, such as optimizer.lr=0.01"],
            JobFile.Read(path, ["steps=x", "nonsense"]).Errors.Select(error => error.Format("job.yaml")));
    }

    [Fact]
    public void ReadRemote_Paths_StayAsWritten() =>
        Assert.Equal("data/cifar-10-batches-bin", JobFile.ReadRemote(Write("job.yaml", Full), []).Spec!.Data.Path);

    [Theory]
    [InlineData("optimizer:\n  lr: 0,001", 2, 7, "decimals are written with a point: 0.001")]
    [InlineData("optimizer: { lr: 0,001 }", 1, 20, "decimals are written with a point: lr: 0.001")]
    [InlineData("optimizer: { betas: [0,9, 0,999] }", 1, 29, "decimals are written with a point: 0.9, 0.999")]
    [InlineData("optimizer: { eps: 1e-50 }", 1, 19, "found 1e-50, which is 0 as float32")]
    public void Read_NumbersOfOtherForms_SayHowToWriteThem(string text, int line, int column, string remedy)
    {
        var errors = JobFile.Read(Write("job.yaml", text), []).Errors;
        Assert.Contains(
            errors, error => (error.Line, error.Column) == (line, column) && error.Message.Contains(remedy, StringComparison.Ordinal));
    }

    [Fact]
    public void Read_Tilde_IsTheUsersHomeAndNeverAFolderOfThatName()
    {
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify);
        var path = Write("job.yaml", Full.Replace("init.safetensors", "~/w.safetensors", StringComparison.Ordinal)
            .Replace("path: data/cifar-10-batches-bin", "path: \"~\"", StringComparison.Ordinal)
            .Replace("checkpoints/cifar10", "./~x", StringComparison.Ordinal));
        var spec = JobFile.Read(path, []).Spec!;
        Assert.Equal(
            (Path.Combine(home, "w.safetensors"), home, Path.Combine(folder.FullName, "~x")),
            (spec.Model.Weights, spec.Data.Path, spec.Checkpoint.Path));

        var error = Assert.Single(JobFile.Read(path, ["data.path=~other/x"]).Errors);
        Assert.Contains(
            "found '~other/x', expected ~/ for your own home folder, or the whole path; a name that begins with ~ is written ./~other/x",
            error.ToString(), StringComparison.Ordinal);
        Assert.Equal(
            [(2, 51, "model.weights"), (3, 30, "data.path")],
            JobFile.ReadRemote(path, []).Errors.Select(e => (e.Line, e.Column, e.Path)));
        Assert.All(JobFile.ReadRemote(path, []).Errors, e => Assert.Contains(
            "a cluster does not know your home folder", e.Message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("a: &x 1\nb: *x", 1, 4, "anchor")]
    [InlineData("a: 1\nb: *x", 2, 4, "alias")]
    [InlineData("a: !!str 1", 1, 4, "tag")]
    [InlineData("a:\n  <<: 1", 2, 3, "merge key")]
    [InlineData("a: 1\nb: 2\na: 3", 3, 1, "found twice")]
    [InlineData("a: 1\n---\nb: 2", 2, 1, "second document")]
    [InlineData("? [1]\n: 2", 1, 3, "as a key")]
    [InlineData("a:\n\tb: 1", 2, 1, "tab")]
    [InlineData("a: 1\nb: { c: 2 }\nd: 3\ne:\n\tf: 4\n", 5, 1, "tab")]
    [InlineData("a: \"x\nb: 1", 1, 4, "broken YAML")]
    [InlineData("a: [1, 2\nb: 1", 2, 1, "broken YAML")]
    [InlineData("a: b: c", 1, 5, "broken YAML")]
    [InlineData("a: 1\n b: 2", 2, 3, "broken YAML")]
    [InlineData("", 1, 1, "found nothing")]
    [InlineData("# only a comment", 1, 1, "found nothing")]
    [InlineData("just text", 1, 1, "expected a mapping")]
    [InlineData("a: [[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]", 1, 24, "nesting deeper")]
    public void Read_WhatIsNoPlainYaml_IsOneErrorWithItsPlace(string text, int line, int column, string message)
    {
        var error = Assert.Single(JobFile.Read(Write("job.yaml", text), []).Errors);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.True((line, column) == (error.Line, error.Column), error.ToString());
    }

    [Fact]
    public void Read_WrongSettings_AllHaveTheirPlace()
    {
        var errors = JobFile.Read(
            Write("job.yaml", Full.Replace("globalBatch: 256", "globalBatch: no", StringComparison.Ordinal)
                .Replace("seed", "sead", StringComparison.Ordinal)), []).Errors;
        Assert.Equal([(5, 14, "globalBatch"), (9, 1, "sead")], errors.Select(error => (error.Line, error.Column, error.Path)));
    }

    [Theory]
    [InlineData("missing.yaml", "no such file")]
    [InlineData(".", "is a folder")]
    [InlineData("large.yaml", "larger than")]
    [InlineData("binary.yaml", "not UTF-8")]
    public void Read_NoTextFile_SaysSo(string name, string message)
    {
        Write("large.yaml", new string('#', (1 << 20) + 1));
        File.WriteAllBytes(Path.Combine(folder.FullName, "binary.yaml"), [0x61, 0x3a, 0xff, 0xfe]);
        var error = Assert.Single(JobFile.Read(Path.Combine(folder.FullName, name), []).Errors);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.StartsWith("job.yaml: ", error.Format("job.yaml"), StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_AnyText_GivesARootOrAnError() =>
        Gen.String[Gen.Char["ab1 \t\n\r:-?,[]{}&*!|>'\"%@`#<~\\\u0000\u0085é\ufeff."], 0, 60].Sample(
            text => JobFile.Parse(text, isJson: false) is { Root: not null } != JobFile.Parse(text, isJson: false) is { Errors.Count: > 0 },
            iter: 5_000);

    private string Write(string name, string text)
    {
        var path = Path.Combine(folder.FullName, name);
        File.WriteAllText(path, text);
        return path;
    }
}
