using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Silo.Failures;
using Distributed.Training.Exchange;
using Orleans.Runtime;

namespace Distributed.Silo.Exchange;

/// <summary>Blocks a rank thread on the coordinator's answer until it comes, a deadline passes or the generation is aborted.</summary>
internal sealed class CoordinatorWait : IDisposable
{
    /// <summary>The coordinator's own deadline comes first: it knows which silos are missing.</summary>
    private static readonly TimeSpan Slack = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan AskAgain = TimeSpan.FromMilliseconds(200);

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
    /// <param name="silo">The coordinator's: the one to look at when it cannot be reached.</param>
    /// <exception cref="JobErrorException">
    /// The generation was aborted, or the coordinator cannot be reached: code <c>silo-lost</c>.
    /// </exception>
    /// <exception cref="JobException">
    /// Code <c>deadline</c>: no answer; code <c>silo-lost</c>: the coordinator failed, such as at its store.
    /// </exception>
    public T For<T>(Task<T> answer, TimeSpan deadline, string where, string silo)
    {
        var longest = deadline + Slack;
        try
        {
            if (answer.Wait((int)longest.TotalMilliseconds, aborted.Token)) return answer.Result;
            throw new JobException(
                ErrorCodes.Deadline,
                $"{where}: no answer from the coordinator for {longest.TotalSeconds:0} s; look at the silo of rank 0, "
                + "which coordinates the job, then resume from the last checkpoint.");
        }
        catch (OperationCanceledException e)
        {
            throw new JobErrorException(reason!, e);
        }
        catch (AggregateException e) when (e.InnerException is OrleansMessageRejectionException)
        {
            // What Orleans says of a lost message is the message; what counts is that its receiver is lost.
            var message = $"{where}: the coordinator on silo {silo} cannot be reached ({e.InnerException.GetType().Name}); "
                + "resume from the last checkpoint.";
            throw new JobErrorException(new JobError(ErrorCodes.SiloLost, message, new Rank(0), silo, "decide", null), e);
        }
        catch (AggregateException e) when (e.InnerException is TimeoutException)
        {
            throw new JobException(
                ErrorCodes.Deadline,
                $"{where}: the coordinator on silo {silo} cannot be reached ({e.InnerException.GetType().Name}); "
                + "resume from the last checkpoint.", e);
        }
        catch (AggregateException e) when (e.InnerException is OrleansException)
        {
            // Not lost on the way: the coordinator itself ran into it.
            throw new JobException(
                ErrorCodes.SiloLost,
                $"{where}: the coordinator could not do its part ({e.InnerException.FirstLine()}); resume from the last checkpoint.", e);
        }
    }

    /// <summary>
    /// Asks again while the answer fails, as a grain does for a moment whose silo is lost or whose store does not answer.
    /// </summary>
    /// <param name="ask">May be asked more than once.</param>
    /// <param name="where">Begins the message when there is no answer, such as <c>Checkpoint of step 3, silo silo-1</c>.</param>
    /// <exception cref="JobErrorException">The generation was aborted.</exception>
    /// <exception cref="JobException">Code <c>deadline</c>: no answer by then.</exception>
    public T Insist<T>(Func<Task<T>> ask, TimeSpan deadline, TimeProvider time, string where)
    {
        var begun = time.GetTimestamp();
        Exception? last = null;
        try
        {
            while (deadline - time.GetElapsedTime(begun) is { Ticks: > 0 } left)
            {
                try
                {
                    var answer = ask();
                    if (answer.Wait((int)Math.Ceiling(left.TotalMilliseconds), aborted.Token)) return answer.Result;
                }
                catch (AggregateException e) when (e.InnerException is OrleansException or TimeoutException)
                {
                    last = e.InnerException;
                }

                Task.Delay(AskAgain, time, aborted.Token).Wait(aborted.Token);
            }
        }
        catch (OperationCanceledException e)
        {
            throw new JobErrorException(reason!, e);
        }

        var why = last is null ? "" : $" ({last.FirstLine()})";
        throw new JobException(
            ErrorCodes.Deadline,
            $"{where}: the job's grain did not confirm it for {deadline.TotalSeconds:0} s{why}; look at the silos' logs and at the store, "
            + "then resume from the last checkpoint.", last);
    }

    public void Dispose() => aborted.Dispose();
}
