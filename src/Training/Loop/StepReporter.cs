using System.Diagnostics;
using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Training.Checkpoints;

namespace Distributed.Training.Loop;

/// <summary>Makes a job's events from what the step left on the board, and keeps the run's totals.</summary>
internal sealed class StepReporter(JobRuntime job, IEventSink events, TimeProvider time)
{
    private const int Reported = 6;
    private readonly StepBoard board = job.Board;
    private long stepStarted = time.GetTimestamp();
    private double seconds;
    private long items;
    private double lastLoss = double.NaN;

    /// <summary>Tells of the step just applied or skipped: to the job's followers, and to the other silos.</summary>
    public void Close()
    {
        WriteReport(job.Exchange.Reports.Own);
        if (!job.Options.IsLead) return;
        events.Publish(Step());
        if (board.Vote!.Before.Skips.Unexplained == 0 && SkipWarnings.AtTheFirst(board.Vote, job.State) is { } warning)
            events.Publish(new WarningEvent(warning));
    }

    private StepEvent Step()
    {
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
            vote.Step, job.Plan.EpochOf(vote.Step), lastLoss, vote.Items, decision.LearningRate, decision.After.LossScale.Scale,
            decision.After.LossScale.GrowthTracker, !decision.Commit, decision.After.Updates, Math.Sqrt(vote.NormSquared),
            job.Options.Generation,
            took, phases)
        {
            NonFinite = vote.NonFinite,
            Ranks = new(board.Phases.Select((p, i) => Seconds(job.Options.Ranks[i].Rank, vote.Step, p)).Concat(OfOtherSilos())
                .OrderBy(r => r.Rank.Value)),
            Buckets = job.Exchange.Buckets.Count == 0 ? null : new(job.Exchange.Buckets.Select((b, i) =>
                new BucketTime(b.Count * sizeof(float), Stopwatch.GetElapsedTime(board.Started, job.Gate.Ready[i]).TotalSeconds))),
        };
    }

    /// <summary>What the other silos report of this silo's ranks: their times in the step before; nothing before the second step.</summary>
    /// <param name="report">Six numbers per rank: step, compute, exchange, exposed, decide, apply.</param>
    private void WriteReport(double[] report)
    {
        var last = job.State.Step;
        for (var i = 0; i < report.Length / Reported; i++)
        {
            var seconds = Seconds(job.Options.Ranks[i].Rank, last, board.Phases[i]);
            ReadOnlySpan<double> numbers = [last, seconds.Compute, seconds.Exchange, seconds.Exposed, seconds.Decide, seconds.Apply];
            numbers.CopyTo(report.AsSpan(i * Reported));
        }
    }

    private RankSeconds Seconds(Rank rank, long step, PhaseSeconds phases)
    {
        return new RankSeconds(
            rank, step, phases.Data + phases.Forward + phases.Backward, board.ExchangeSeconds ?? phases.Exchange, phases.Exchange,
            phases.Decide, phases.Apply);
    }

    private IEnumerable<RankSeconds> OfOtherSilos()
    {
        var reports = job.Exchange.Reports.BySilo;
        for (var silo = 0; silo < reports.Length; silo++)
        {
            var report = reports[silo];
            for (var i = 0; i + Reported <= report.Length; i += Reported)
                if (report[i] > 0)
                    yield return new RankSeconds(
                        new(job.ExchangeJob.Silos.FirstRanks[silo] + (i / Reported)), (long)report[i], report[i + 1], report[i + 2],
                        report[i + 3], report[i + 4], report[i + 5]);
        }
    }

    /// <summary>What lies between the last step and now counts for no step.</summary>
    public void Pause() => stepStarted = time.GetTimestamp();

    public CompletedEvent Completed(string checkpoint) => new(
        job.State.Step, lastLoss, WeightsHash.Compute(job.Replica), job.State.SkippedSteps, seconds, seconds > 0 ? items / seconds : 0,
        checkpoint);
}
