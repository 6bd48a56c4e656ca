using System.Diagnostics;
using Distributed.Core.Events;
using Distributed.Training.Checkpoints;

namespace Distributed.Training.Loop;

/// <summary>Makes a job's events from what the step left on the board, and keeps the run's totals.</summary>
internal sealed class StepReporter(JobRuntime job, TimeProvider time)
{
    private const int Reported = 6;
    private long stepStarted = time.GetTimestamp();
    private double seconds;
    private long items;
    private double lastLoss = double.NaN;

    /// <summary>The event of the step just applied or skipped.</summary>
    public StepEvent Step()
    {
        var board = job.Board;
        var (vote, decision) = (board.Vote!, board.Decision!);
        var now = time.GetTimestamp();
        var took = time.GetElapsedTime(stepStarted, now).TotalSeconds;
        stepStarted = now;
        seconds += took;
        items += vote.Items;
        lastLoss = vote.LossSum / vote.Items;
        var lead = board.Phases[0];
        var phases = lead with
        {
            Data = board.Phases.Max(p => p.Data),
            Forward = board.Phases.Max(p => p.Forward),
            Backward = board.Phases.Max(p => p.Backward),
        };
        return new StepEvent(
            vote.Step, job.Plan.EpochOf(vote.Step), lastLoss, vote.Items, decision.LearningRate, decision.After.Scaling.Scale,
            decision.After.Scaling.GrowthTracker, !decision.Commit, decision.After.Updates, Math.Sqrt(vote.NormSquared), job.Options.Generation,
            took, phases)
        {
            NonFinite = vote.NonFinite,
            Ranks = new(board.Phases.Select((p, i) => Seconds(job.Options.Ranks[i].Rank.Value, vote.Step, p)).Concat(OfOtherSilos()).OrderBy(r => r.Rank)),
            Buckets = job.Gate is { } gate ? new(job.Buffers!.Plan.Buckets.Select((b, i) => new BucketTime(b.Count * sizeof(float), Stopwatch.GetElapsedTime(board.Started, gate.Ready[i]).TotalSeconds))) : null,
        };
    }

    /// <summary>What the other silos report of this silo's ranks: their times in the step before; nothing before the second step.</summary>
    /// <param name="report">Six numbers a rank: step, compute, exchange, exposed, decide, apply.</param>
    public void WriteReport(double[] report)
    {
        var last = job.State.Step;
        for (var i = 0; i < report.Length / Reported; i++)
        {
            // The first step of a run has none before it.
            if (job.Board.Phases[i] is not { } phases) continue;
            var seconds = Seconds(job.Options.Ranks[i].Rank.Value, last, phases);
            ReadOnlySpan<double> numbers = [last, seconds.Compute, seconds.Exchange, seconds.Exposed, seconds.Decide, seconds.Apply];
            numbers.CopyTo(report.AsSpan(i * Reported));
        }
    }

    private RankSeconds Seconds(int rank, long step, PhaseSeconds phases)
    {
        var exchange = job.Gate is null ? phases.Exchange : job.Board.ExchangeSeconds;
        return new RankSeconds(rank, step, phases.Data + phases.Forward + phases.Backward, exchange, phases.Exchange, phases.Decide, phases.Apply);
    }

    private IEnumerable<RankSeconds> OfOtherSilos()
    {
        if (job.Buffers is not { } buffers) yield break;
        for (var silo = 0; silo < buffers.Reports.Length; silo++)
        {
            var report = buffers.Reports[silo];
            for (var i = 0; i + Reported <= report.Length; i += Reported)
                if (report[i] > 0)
                    yield return new RankSeconds(buffers.Silos.FirstRanks[silo] + (i / Reported), (long)report[i], report[i + 1], report[i + 2], report[i + 3], report[i + 4], report[i + 5]);
        }
    }

    /// <summary>What lies between the last step and now counts for no step.</summary>
    public void Pause() => stepStarted = time.GetTimestamp();

    public CompletedEvent Completed(string checkpoint) => new(
        job.State.Step, lastLoss, WeightsHash.Compute(job.Replica), job.State.SkippedSteps, seconds, seconds > 0 ? items / seconds : 0, checkpoint);
}
