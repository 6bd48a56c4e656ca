using Distributed.Core.DataSets;
using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Core.Models;
using Distributed.Core.Optimizers;
using Distributed.Core.Spec;
using Distributed.Core.Values;
using Distributed.Training.Loop;
using JobPrecision = Distributed.Core.Spec.Precision;

namespace Distributed.Testing.Training;

/// <summary>Runs a job in this process: real data, real ranks, the coordinator's decision made on the spot.</summary>
internal static class TrainingHarness
{
    public static JobSpec Shapes(JobPrecision precision = JobPrecision.Float32) => new()
    {
        Name = "test",
        Model = ModelSpec.Of(new SimpleCnnOptions()),
        Data = DataSpec.Of(new ShapesOptions { Samples = 90 }),
        Precision = precision,
        GlobalBatch = 32,
        MicroBatch = 4,
        Steps = 5,
        Seed = 3,
        Optimizer = OptimizerSpec.Of(new AdamWOptions { WeightDecay = 0.01, NoDecay = new(["*.bias"]) }),
    };

    public static RunOutcome Run(
        JobSpec spec, int ranks, string? checkpoints = null, bool resume = false, long stopAt = 0, Action<JobEvent>? seen = null)
    {
        var directory = checkpoints ?? Directory.CreateTempSubdirectory("dtrain-test-").FullName;
        try
        {
            var events = new EventList(seen);
            var options = new SessionOptions
            {
                JobId = JobId.Parse("test"),
                Generation = new(1),
                Spec = spec,
                Silo = "silo-0",
                WorldSize = ranks,
                Ranks = [.. Enumerable.Range(0, ranks).Select(r => new RankSlot(new Rank(r), $"cpu:{r}"))],
                CheckpointDirectory = directory,
                Resume = resume,
                StopAt = stopAt,
                StepDeadline = TimeSpan.FromMinutes(2),
            };
            using var session = new SiloSession(options, new LocalDecider(spec), events, TimeProvider.System);
            var results = Task.WhenAll(options.Ranks.Select(r => session.RunRank(r.Rank))).Result;
            return new RunOutcome(events.Items, results);
        }
        finally
        {
            if (checkpoints is null) Directory.Delete(directory, recursive: true);
        }
    }

    private sealed class EventList(Action<JobEvent>? seen) : IEventSink
    {
        private readonly List<JobEvent> items = [];

        public IReadOnlyList<JobEvent> Items => items;

        public void Publish(JobEvent jobEvent)
        {
            items.Add(jobEvent);
            seen?.Invoke(jobEvent);
        }
    }
}

internal sealed record RunOutcome(IReadOnlyList<JobEvent> Events, IReadOnlyList<RankResult> Results)
{
    public IReadOnlyList<StepEvent> Steps => [.. Events.OfType<StepEvent>()];

    public JobError? Error => Results.Select(r => r.Error).FirstOrDefault(e => e is not null);

    public CompletedEvent Completed => Error is null
        ? Events.OfType<CompletedEvent>().Single()
        : throw new InvalidOperationException($"The run failed: {Error}");

    public string Hash => Completed.WeightsSha256;
}
