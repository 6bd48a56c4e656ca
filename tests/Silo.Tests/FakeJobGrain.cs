using System.Collections.Immutable;
using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Grains.Contracts;
using Distributed.Grains.Placement;

namespace Distributed.Silo.Tests;

/// <summary>Takes events; loses the answer to the first calls when asked to.</summary>
internal sealed class FakeJobGrain : IJobGrain
{
    public List<EventBatch> Batches { get; } = [];

    public int AnswersToLose { get; set; }

    /// <summary>What a lost answer looks like.</summary>
    public Exception Loss { get; set; } = new TimeoutException("no answer");

    /// <summary>Appends wait for it.</summary>
    public Task Open { get; set; } = Task.CompletedTask;

    public async Task Append(EventBatch batch)
    {
        await Open;
        Batches.Add(batch);
        if (AnswersToLose-- > 0) throw Loss;
    }

    public Task<SubmitOutcome> Submit(JobSubmission submission) => throw new NotSupportedException();

    public Task<JobReport?> Status() => throw new NotSupportedException();

    public Task<JobChange?> Stop(bool checkpoint, JobCaller by) => throw new NotSupportedException();

    public Task<EventPage?> ReadEvents(long from, int max, TimeSpan wait) => throw new NotSupportedException();

    public Task<EventPage?> ReadLog(long from, int max, TimeSpan wait) => throw new NotSupportedException();

    public Task<JobChange?> Resume(JobCaller by) => throw new NotSupportedException();

    public Task<JobChange?> Scale(int workers, JobCaller by) => throw new NotSupportedException();

    public Task<JobChange?> Delete(JobCaller by) => throw new NotSupportedException();

    public Task<JobDiagnosis?> Why() => throw new NotSupportedException();

    public Task RankEnded(RankEnd end) => throw new NotSupportedException();

    public Task<bool> Begin(Generation generation, int ranks, ImmutableArray<LeasedSilo> silos) => throw new NotSupportedException();

    /// <summary>What each wish to move is answered with.</summary>
    public Func<Task>? Moving { get; set; }

    public int Moves { get; private set; }

    public Task Move(string reason)
    {
        Moves++;
        return Moving!();
    }

    /// <summary>What waking it is answered with.</summary>
    public Func<JobStanding>? Standing { get; set; }

    public Task Starved(string silo) => Task.CompletedTask;

    public Task<JobStanding> Wake() => Task.FromResult(Standing!());

    public List<long> Confirmed { get; } = [];

    public Task<JobError?> Confirm(Generation generation, long step)
    {
        Confirmed.Add(step);
        return AnswersToLose-- > 0 ? Task.FromException<JobError?>(Loss) : Task.FromResult<JobError?>(null);
    }
}
