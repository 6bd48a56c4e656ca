using Distributed.Core;
using Distributed.Core.Events;
using Distributed.Silo.Serve;
using Distributed.Training.Loop;
using Orleans.Runtime;

namespace Distributed.Silo.Ranks;

/// <summary>Blocks a rank thread on the coordinator's answer until it comes, a deadline passes or the generation is aborted.</summary>
internal sealed class CoordinatorWait : IDisposable
{
    /// <summary>The coordinator's own deadline comes first: it knows which silos are missing.</summary>
    private static readonly TimeSpan Slack = TimeSpan.FromSeconds(10);

    private readonly CancellationTokenSource aborted = new();
    private JobError? reason;

    /// <summary>Ends the wait of a rank thread, now or when it next asks.</summary>
    public void Abort(JobError error)
    {
        Interlocked.CompareExchange(ref reason, error, null);
        aborted.Cancel();
    }

    /// <param name="deadline">The coordinator's own.</param>
    /// <param name="where">Begins the message when there is no answer, such as <c>Step 3, silo silo-1</c>.</param>
    /// <exception cref="JobErrorException">The generation was aborted.</exception>
    /// <exception cref="JobException">Code <c>deadline</c>: no answer; code <c>silo-lost</c>: the coordinator cannot be reached, or failed, such as at its store.</exception>
    public T For<T>(Task<T> answer, TimeSpan deadline, string where)
    {
        var longest = deadline + Slack;
        try
        {
            if (answer.Wait((int)longest.TotalMilliseconds, aborted.Token)) return answer.Result;
            throw new JobException(ErrorCodes.Deadline, $"{where}: no answer from the coordinator for {longest.TotalSeconds:0} s; look at the silo of rank 0, which coordinates the job, then resume from the last checkpoint.");
        }
        catch (OperationCanceledException e)
        {
            throw new JobErrorException(reason!, e);
        }
        catch (AggregateException e) when (e.InnerException is OrleansException or TimeoutException)
        {
            var code = e.InnerException is TimeoutException ? ErrorCodes.Deadline : ErrorCodes.SiloLost;
            // What Orleans says of a lost message is the message; what counts is that its receiver is lost. Anything else the receiver itself ran into.
            var what = e.InnerException is OrleansMessageRejectionException or TimeoutException
                ? $"the coordinator cannot be reached ({e.InnerException.GetType().Name})"
                : $"the coordinator could not do its part ({e.InnerException.FirstLine()})";
            throw new JobException(code, $"{where}: {what}; resume from the last checkpoint.", e);
        }
    }

    public void Dispose() => aborted.Dispose();
}
