using System.Threading.Channels;
using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Grains.Contracts;
using Distributed.Training.Loop;

namespace Distributed.Silo.Ranks;

/// <summary>Carries one silo's events of a job to its grain: in order, in batches, none lost.</summary>
internal sealed partial class EventPump : IEventSink, IAsyncDisposable
{
    private const int Capacity = 4096;
    private const int LargestBatch = 512;
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(500);

    private readonly Channel<object> queue = Channel.CreateBounded<object>(new BoundedChannelOptions(Capacity) { SingleReader = true });
    private readonly IJobGrain job;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly Func<long> totalSteps;
    private readonly CancellationTokenSource disposed = new();
    private readonly Task pumping;
    private readonly Generation generation;
    private readonly string silo;
    private long sent;

    public EventPump(IJobGrain job, Generation generation, string silo, Func<long> totalSteps, TimeProvider time, ILogger logger)
    {
        (this.job, this.generation, this.silo, this.totalSteps, this.time, this.logger) = (job, generation, silo, totalSteps, time, logger);
        pumping = Task.Run(Pump);
    }

    /// <summary>Queues an event; a full queue holds the rank up, for a minute at most.</summary>
    public void Publish(JobEvent jobEvent)
    {
        if (queue.Writer.TryWrite(jobEvent)) return;
        if (!queue.Writer.WriteAsync(jobEvent).AsTask().Wait(LongestWait))
            throw new JobException(
                ErrorCodes.Deadline,
                $"Silo {silo}: {Capacity} events wait and the job's grain took none for {LongestWait.TotalSeconds:0} s; "
                + "look at the silo that holds the job.");
    }

    /// <summary>Completes when all events published before are with the job's grain.</summary>
    /// <exception cref="TimeoutException">They were not for a minute.</exception>
    public async Task Drain()
    {
        var passed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var deadline = new CancellationTokenSource(LongestWait, time);
        try
        {
            await queue.Writer.WriteAsync(passed, deadline.Token);
            await passed.Task.WaitAsync(deadline.Token);
        }
        catch (OperationCanceledException e)
        {
            throw new TimeoutException($"The job's grain did not take the events of silo {silo} for {LongestWait.TotalSeconds:0} s.", e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        queue.Writer.TryComplete();
        await disposed.CancelAsync();
#pragma warning disable VSTHRD003 // Started by this object, on the thread pool.
        await pumping;
#pragma warning restore VSTHRD003
        disposed.Dispose();
    }

    private async Task Pump()
    {
        try
        {
            var lines = new List<EventLine>();
            var passed = new List<TaskCompletionSource>();
            while (await queue.Reader.WaitToReadAsync(disposed.Token))
            {
                while (lines.Count < LargestBatch && queue.Reader.TryRead(out var item))
                {
                    if (item is JobEvent jobEvent) lines.Add(EventLine.Of(jobEvent));
                    else passed.Add((TaskCompletionSource)item);
                }

                if (lines.Count > 0) await Deliver(lines);
                passed.ForEach(p => p.SetResult());
                lines.Clear();
                passed.Clear();
            }
        }
        catch (OperationCanceledException) when (disposed.IsCancellationRequested)
        {
        }
    }

    private async Task Deliver(List<EventLine> lines)
    {
        var batch = new EventBatch(generation, silo, sent, [.. lines], totalSteps());
        while (true)
        {
            try
            {
                await job.Append(batch);
                sent += lines.Count;
                return;
            }
#pragma warning disable CA1031 // Whatever kept the grain from taking it: an event that is not sent again is lost, and the rank waits.
            catch (Exception e)
#pragma warning restore CA1031
            {
                // The batch keeps its number, so the grain logs it once even if it did arrive.
                LogRetry(logger, e, lines.Count, silo);
                await Task.Delay(RetryPause, time, disposed.Token);
            }
        }
    }

    [LoggerMessage(
        4101, LogLevel.Warning,
        "{Count} events of silo {Silo} were not taken by the job's grain; sent again. "
        + "If this lasts, look at the silo that holds the job.")]
    private static partial void LogRetry(ILogger logger, Exception error, int count, string silo);
}
