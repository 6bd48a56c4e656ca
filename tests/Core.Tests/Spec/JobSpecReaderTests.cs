using Distributed.Core.Documents;
using Distributed.Core.LossScaling;
using Distributed.Core.Spec;

namespace Distributed.Core.Tests.Spec;

public sealed class JobSpecReaderTests
{
    private const string Good = """
        {"name":"a","model":{"name":"simple-cnn"},"data":{"name":"cifar10","path":"d"},"globalBatch":12,"microBatch":4,"steps":5}
        """;

    [Theory]
    [InlineData("globalBatch=0", "globalBatch", "found 0, expected a whole number from 1 to 1000000")]
    [InlineData("globalBatch=1e7", "globalBatch", "found 1e7")]
    [InlineData("globalBatch=2.5", "globalBatch", "found 2.5, expected a whole number")]
    [InlineData("microBatch=5", "microBatch", "does not divide globalBatch 12, expected 4 or 6")]
    [InlineData("microBatch=24", "microBatch", "expected 12")]
    [InlineData("steps=-1", "steps", "found -1")]
    [InlineData("steps=null", "steps", "either steps or epochs")]
    [InlineData("epochs=2", "epochs", "both steps and epochs")]
    [InlineData("shuffle=no", "shuffle", "found the text 'no', expected true or false")]
    [InlineData("seed=abc", "seed", "found the text 'abc'")]
    [InlineData("name=null", "name", "missing")]
    [InlineData("model=mlp", "model", "found the text 'mlp', expected a mapping")]
    [InlineData("model.name=simplecnn", "model.name", "did you mean simple-cnn?")]
    [InlineData("model.dropout=1", "model.dropout", "found 1, expected a number from 0 to less than 1")]
    [InlineData("model.sizes=[1,2]", "model.sizes", "belongs to model mlp")]
    [InlineData("model.hidden=3", "model.hidden", "belongs to model sentiment-lstm")]
    [InlineData("model.vocab=3", "model.vocab", "belongs to models sentiment-lstm and transformer")]
    [InlineData("model.heads=3", "model.heads", "belongs to model transformer")]
    [InlineData("model.sequence=3", "model.sequence", "belongs to model transformer")]
    [InlineData("model.name=transformer", "model.width", "missing")]
    [InlineData("model.name=mlp", "model.sizes", "missing")]
    [InlineData(
        "data.name=mnist", "data.name",
        "found mnist with model simple-cnn, which takes images of 3x32x32, expected cifar10, tensors or shapes")]
    [InlineData("data.name=imdb", "data.name", "found imdb with model simple-cnn, which takes images of 3x32x32")]
    [InlineData("data.path=null", "data.path", "missing")]
    [InlineData("data.samples=9", "data.samples", "belongs to data shapes")]
    [InlineData("data.name=text", "data.name", "found text with model simple-cnn")]
    [InlineData("data.length=9", "data.length", "belongs to data imdb and text")]
    [InlineData("data.encoding=latin1", "data.encoding", "belongs to data imdb, not to cifar10")]
    [InlineData("data.name=shapes", "data.path", "reads no file")]
    [InlineData("precision=mixed-bfloat16", "precision", "did you mean mixed_bfloat16?")]
    [InlineData("normalize.mean=[1]", "normalize.mean", "found 1 numbers, expected 3")]
    [InlineData("normalize.std=[1,0,1]", "normalize.std[1]", "found 0, expected a finite number greater than 0")]
    [InlineData("augment.crop=-1", "augment.crop", "found -1")]
    [InlineData("augment.flip=yes", "augment.flip", "expected true or false")]
    [InlineData(
        "optimizer.lr=0,001", "optimizer.lr",
        "found the text '0,001', expected a finite number of 0 or more; decimals are written with a point: 0.001")]
    [InlineData(
        "optimizer.lr=\"0.1\"", "optimizer.lr", "found the text '0.1', expected a finite number of 0 or more; write 0.1 without quotes")]
    [InlineData(
        "optimizer.lr=1e39", "optimizer.lr",
        "found 1e39, which is infinite as float32, expected a finite number of 0 or more within float32's range, about 1.4e-45 to 3.4e38")]
    [InlineData("optimizer.lr=1e-46", "optimizer.lr", "found 1e-46, which is 0 as float32")]
    [InlineData("optimizer.lr=1e38", "optimizer.lr", "lr / (1 - beta1) infinite as float32")]
    [InlineData("optimizer.eps=1e-50", "optimizer.eps", "which is 0 as float32")]
    [InlineData("optimizer.eps=1e39", "optimizer.eps", "which is infinite as float32")]
    [InlineData("optimizer.weightDecay=1e300", "optimizer.weightDecay", "which is infinite as float32")]
    [InlineData("optimizer.weightDecay=1e-60", "optimizer.weightDecay", "which is 0 as float32")]
    [InlineData("optimizer.betas=[0.9,0.999999999]", "optimizer.betas[1]", "which is 1 as float32")]
    [InlineData("optimizer.betas=[0,9,0,999]", "optimizer.betas[3]", "decimals are written with a point: 0.9, 0.999")]
    [InlineData(
        "optimizer.betas=[0,0,0,0]", "optimizer.betas", "expected two, such as [0.9, 0.999]; decimals are written with a point: 0.0, 0.0")]
    [InlineData(
        "normalize.mean=[0,5, 0,5, 0,5]", "normalize.mean",
        "found 6 numbers, expected 3: one for each channel of cifar10; decimals are written with a point: 0.5, 0.5, 0.5")]
    [InlineData("normalize.mean=[1e39,0,0]", "normalize.mean[0]", "which is infinite as float32")]
    [InlineData("normalize.std=[1,1,1e-50]", "normalize.std[2]", "which is 0 as float32")]
    [InlineData("model.dropout=0.99999999", "model.dropout", "which is 1 as float32")]
    [InlineData("clipNorm=1e-50", "clipNorm", "which is 0 as float32")]
    [InlineData("clipNorm=1e39", "clipNorm", "which is infinite as float32")]
    [InlineData("globalBatch=1,024", "globalBatch", "write it without separators: 1024")]
    [InlineData("steps=1_000", "steps", "write it without separators: 1000")]
    [InlineData("workers.stepDeadline=1e-50", "workers.stepDeadline", "found 1e-50, expected seconds, from 0.001")]
    [InlineData("lossScale.init=1e-40", "lossScale.init", "whose inverse is infinite as float32")]
    [InlineData("lossScale.backoff=1e-50", "lossScale.backoff", "also as float32")]
    [InlineData("lossScale.growth=1e300", "lossScale.growth", "also as float32")]
    [InlineData("lossScale.maxSkippedShare=1.5", "lossScale.maxSkippedShare", "found 1.5, expected a share from 0 to 1")]
    [InlineData("data.allowNonFinite=true", "data.allowNonFinite", "belongs to data tensors, not to cifar10")]
    [InlineData("optimizer.lr=.inf", "optimizer.lr", "found .inf")]
    [InlineData("optimizer.lr=-1", "optimizer.lr", "found -1")]
    [InlineData("optimizer.betas=[0.9,1]", "optimizer.betas[1]", "found 1")]
    [InlineData("optimizer.betas=[0.9]", "optimizer.betas", "expected two")]
    [InlineData("optimizer.betas=0.9", "optimizer.betas", "found 0.9, expected a list of numbers")]
    [InlineData("optimizer.momentum=0.9", "optimizer.momentum", "belongs to optimizer sgd, not to adamw")]
    [InlineData("optimizer.warmup=1", "optimizer.warmup", "unknown key")]
    [InlineData("schedule.name=cosin", "schedule.name", "did you mean cosine?")]
    [InlineData("schedule.warmupSteps=-1", "schedule.warmupSteps", "found -1")]
    [InlineData("clipNorm=0", "clipNorm", "found 0")]
    [InlineData("lossScale.growth=1", "lossScale.growth", "found 1, expected a finite number greater than 1")]
    [InlineData("lossScale.backoff=1", "lossScale.backoff", "less than 1")]
    [InlineData("lossScale.hysteresis=2", "lossScale.hysteresis", "expected 1 with policy torch")]
    [InlineData("lossScale.init=1e60", "lossScale.init", "float32")]
    [InlineData("lossScale.policy=apex", "lossScale.policy", "one of torch, megatron, deepspeed, static")]
    [InlineData("workers.min=4", "workers.min", "only 3 micro-batches")]
    [InlineData("workers.device=gpu", "workers.device", "one of cpu, cuda")]
    [InlineData("workers.intraOpThreads=0", "workers.intraOpThreads", "found 0")]
    [InlineData("workers.stepDeadline=0", "workers.stepDeadline", "found 0")]
    [InlineData("workers.stepDeadline=90000", "workers.stepDeadline", "found 90000")]
    [InlineData("exchange=post", "exchange", "peer")]
    [InlineData("checkpoint.keep=0", "checkpoint.keep", "found 0")]
    [InlineData("checkpoint.everySteps=0", "checkpoint.everySteps", "found 0")]
    [InlineData("evaluate.everySteps=0", "evaluate.everySteps", "found 0")]
    [InlineData(
        "limits.run=2w", "limits.run",
        "found the text '2w', expected a duration from 1s to 365d: a whole number and one of the units s, m, h, d, "
        + "such as 90s, 30m, 2h or 1d")]
    [InlineData("limits.run=7200", "limits.run", "found 7200, expected a duration")]
    [InlineData("limits.queued=0s", "limits.queued", "found the text '0s', expected a duration from 1s")]
    [InlineData("limits.queued=366d", "limits.queued", "found the text '366d', expected a duration from 1s to 365d")]
    [InlineData("limits.queue=2h", "limits.queue", "did you mean queued?")]
    [InlineData("limits=2h", "limits", "found the text '2h', expected a mapping")]
    [InlineData("global_batch=8", "global_batch", "did you mean globalBatch?")]
    [InlineData("model.colour=8", "model.colour", "expected one of dropout, embedding")]
    public void Read_OneWrongSetting_NamesItAndWhatWasExpected(string assignment, string path, string message)
    {
        var root = SpecOverrides.Apply(JsonSpecNodes.Parse(Good).Root!, assignment).Root!;
        var errors = JobSpecReader.Read(root).Errors;
        Assert.True(
            errors.Any(error => error.Path == path && error.Message.Contains(message, StringComparison.Ordinal)),
            string.Join('\n', errors));
    }

    [Fact]
    public void Read_ProductsThatFloat32CannotHold_AreRefusedAtTheKey()
    {
        Assert.Equal("schedule.warmupSteps", Wrong("optimizer.lr=1e-44", "schedule.warmupSteps=1000").Path);
        Assert.Equal("optimizer.weightDecay", Wrong("optimizer.lr=1e37", "optimizer.weightDecay=100").Path);
        Assert.StartsWith(
            "found 1E-40 at place 2, which makes", Wrong("normalize.mean=[0,0,0]", "normalize.std=[1,1,1e-40]").Message,
            StringComparison.Ordinal);
        Assert.Empty(Wrongs("optimizer.name=sgd", "optimizer.lr=1e38"));
        Assert.Contains(
            "which is 1 as float32, expected a number from 0 to less than 1",
            Wrong("optimizer.name=sgd", "optimizer.momentum=0.99999999").Message, StringComparison.Ordinal);
        Assert.Empty(Wrongs("optimizer.lr=0", "optimizer.weightDecay=0", "optimizer.betas=[0, 0]", "schedule.warmupSteps=9"));

        static SpecError Wrong(params string[] sets) => Assert.Single(Wrongs(sets));
        static IReadOnlyList<SpecError> Wrongs(params string[] sets) =>
            JobSpecReader.Read(sets.Aggregate(JsonSpecNodes.Parse(Good).Root!, (root, set) => SpecOverrides.Apply(root, set).Root!)).Errors;
    }

    [Theory]
    [InlineData("{\n\"lr\": 0,001\n}", 2, "decimals are written with a point: 0.001")]
    [InlineData("{\"a\": [1, 2], \"lr\": 0,5}", 1, "decimals are written with a point: 0.5")]
    public void Read_DecimalCommaInJson_SaysHowToWriteIt(string json, int line, string remedy)
    {
        var error = Assert.Single(JobSpecJson.Read(json).Errors);
        Assert.Equal(line, error.Line);
        Assert.Contains(remedy, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"name":"mlp"}""", "model.sizes")]
    [InlineData("""{"name":"mlp","sizes":[784]}""", "model.sizes")]
    [InlineData("""{"name":"mlp","sizes":[]}""", "model.sizes")]
    [InlineData("""{"name":"mlp","sizes":[100,10]}""", "model.sizes")]
    [InlineData("""{"name":"mlp","sizes":[784,9]}""", "model.sizes")]
    [InlineData("""{"name":"mlp","sizes":[784,1000000,1000000,10]}""", "model.sizes")]
    [InlineData("""{"name":"mlp","sizes":[784,0,10]}""", "model.sizes[1]")]
    [InlineData("""{"name":"sentiment-lstm","vocab":10,"embedding":4}""", "model.hidden")]
    [InlineData("""{"name":"sentiment-lstm","vocab":10,"embedding":4,"hidden":4}""", "data.name")]
    [InlineData("""{"name":"sentiment-lstm","vocab":10000000,"embedding":1000,"hidden":4}""", "model.vocab")]
    public void Read_ModelOnMnist_FindsWhatDoesNotFit(string model, string path)
    {
        var json = $$$"""{"name":"a","model":{{{model}}},"data":{"name":"mnist","path":"d"},"globalBatch":12,"microBatch":4,"steps":5}""";
        Assert.Contains(path, JobSpecJson.Read(json).Errors.Select(error => error.Path));
    }

    [Theory]
    [InlineData("data.length=8", null, null)]
    [InlineData("data.name=tensors", null, null)]
    [InlineData("data.length=9", "data.length", "found 9, expected at most model.sequence, 8")]
    [InlineData("data.name=imdb", "data.name", "expected text or tensors")]
    [InlineData("data.name=cifar10", "data.name", "expected text or tensors")]
    [InlineData("model.heads=5", "model.heads", "found 5, which does not divide width 12, expected 4 or 6")]
    [InlineData("model.heads=0", "model.heads", "found 0")]
    [InlineData("model.width=1000000", "model.width", "parameters, expected at most")]
    [InlineData("model.layers=null", "model.layers", "transformer needs width, layers, heads, vocab and sequence")]
    [InlineData("model.layers=1001", "model.layers", "found 1001")]
    [InlineData("model.vocab=null", "model.vocab", "missing")]
    [InlineData("model.sequence=20000", "model.sequence", "found 20000")]
    [InlineData("model.hidden=3", "model.hidden", "belongs to model sentiment-lstm, not to transformer")]
    public void Read_TransformerOnText_FindsWhatDoesNotFit(string assignment, string? path, string? message)
    {
        const string Job = """
            {"name":"a","model":{"name":"transformer","width":12,"layers":2,"heads":3,"vocab":256,"sequence":8},
            "data":{"name":"text","path":"d"},"globalBatch":12,"microBatch":4,"steps":5}
            """;
        var errors = JobSpecReader.Read(SpecOverrides.Apply(JsonSpecNodes.Parse(Job).Root!, assignment).Root!).Errors;
        if (path is null) Assert.Empty(errors);
        else Assert.Contains(errors, error => error.Path == path && error.Message.Contains(message!, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("data.encoding=latin-1", "data.encoding", "did you mean latin1?")]
    [InlineData("data.length=0", "data.length", "found 0, expected a whole number from 1 to 100000")]
    [InlineData("data.name=text", "data.name", "found text with model sentiment-lstm, which takes tokens, expected imdb or tensors")]
    [InlineData("model.vocab=2", "model.vocab", "found 2, expected 3 or more: imdb uses ids 0 for padding")]
    [InlineData("model.vocab=null", "model.vocab", "sentiment-lstm needs vocab, embedding and hidden")]
    public void Read_LstmOnImdb_FindsWhatDoesNotFit(string assignment, string path, string message)
    {
        const string Job = """
            {"name":"a","model":{"name":"sentiment-lstm","vocab":10,"embedding":4,"hidden":4},
            "data":{"name":"imdb","path":"d"},"globalBatch":12,"microBatch":4,"steps":5}
            """;
        Assert.Empty(JobSpecJson.Read(Job).Errors);
        var error = Assert.Single(JobSpecReader.Read(SpecOverrides.Apply(JsonSpecNodes.Parse(Job).Root!, assignment).Root!).Errors);
        Assert.Equal(path, error.Path);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_Float16LstmOnCpu_IsRefusedWithReasonAndRemedy()
    {
        var json = """{"name":"a","model":{"name":"sentiment-lstm","vocab":10,"embedding":4,"hidden":4}"""
            + ""","data":{"name":"tensors","path":"d"},"precision":"mixed_float16","globalBatch":12,"microBatch":4,"steps":5}""";
        var error = Assert.Single(JobSpecJson.Read(json).Errors);
        Assert.Equal("precision", error.Path);
        Assert.All(["libtorch", "mixed_bfloat16"], part => Assert.Contains(part, error.Message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("optimizer.name=null")]
    [InlineData("schedule.name=null")]
    public void Read_NameIsNull_IsTheDefault(string assignment) =>
        Assert.Equal(
            JobSpecJson.Read(Good).Spec,
            JobSpecReader.Read(SpecOverrides.Apply(JsonSpecNodes.Parse(Good).Root!, assignment).Root!).Spec);

    [Fact]
    public void Read_NameMisspelt_IsHintedAt()
    {
        var error = Assert.Single(
            JobSpecReader.Read(SpecOverrides.Apply(JsonSpecNodes.Parse(Good).Root!, "optimizer.nam=sgd").Root!).Errors);
        Assert.Contains("did you mean name?", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_SgdSettings_AreChecked()
    {
        var root = JsonSpecNodes.Parse(Good).Root!;
        foreach (var set in new[] { "optimizer.name=sgd", "optimizer.nesterov=true", "optimizer.eps=1e-8" })
            root = SpecOverrides.Apply(root, set).Root!;
        Assert.Equal(["optimizer.eps", "optimizer.nesterov"], JobSpecReader.Read(root).Errors.Select(error => error.Path).Order());
    }

    [Fact]
    public void Read_ManyErrors_GivesAllInOrderWithPositions()
    {
        var errors = JobSpecJson.Read("{\n  \"name\": \"a\",\n  \"model\": {\"name\": \"cnn\"},\n  \"data\": {\"name\": \"shapes\"},\n"
            + "  \"globalBatch\": -4,\n  \"stepz\": 3\n}").Errors;
        Assert.Equal(
            [(1, 1, "microBatch"), (1, 1, "steps"), (3, 21, "model.name"), (5, 18, "globalBatch"), (6, 3, "stepz")],
            errors.Select(error => (error.Line, error.Column, error.Path)));
        Assert.StartsWith("job.json:3:21: model.name: found the text 'cnn'", errors[2].Format("job.json"), StringComparison.Ordinal);
        Assert.Contains("did you mean steps?", errors[4].Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1e-3", 0.001)]
    [InlineData("1E-8", 1e-8)]
    [InlineData(".5", 0.5)]
    [InlineData("2", 2)]
    public void Read_NumberForms_AreRead(string text, double value) =>
        Assert.Equal(value, JobSpecReader.Read(
            SpecOverrides.Apply(JsonSpecNodes.Parse(Good).Root!, $"optimizer.lr={text}").Root!).Spec!.Optimizer.Options.Lr);

    [Fact]
    public void Read_PolicyDefaults_FollowThePolicy()
    {
        var root = SpecOverrides.Apply(JsonSpecNodes.Parse(Good).Root!, "lossScale.policy=megatron").Root!;
        Assert.Equal(
            new LossScaleSpec { Policy = "megatron", Init = 4294967296, Interval = 1000, Min = 1, Hysteresis = 2 },
            JobSpecReader.Read(root).Spec!.LossScale);
    }

    [Theory]
    [InlineData("[1]", "expected a mapping")]
    [InlineData("{\"a\":1,}", "broken JSON")]
    [InlineData("{\"a\":1", "broken JSON")]
    [InlineData("", "broken JSON")]
    [InlineData("{\"a\":1,\"a\":2}", "found twice")]
    [InlineData("[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]", "broken JSON")]
    public void Read_NotAJobAtAll_GivesOneError(string json, string message) =>
        Assert.Contains(message, Assert.Single(JobSpecJson.Read(json).Errors).Message, StringComparison.Ordinal);
}
