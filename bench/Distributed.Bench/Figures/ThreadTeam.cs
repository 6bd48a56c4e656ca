namespace Distributed.Bench.Figures;

/// <summary>Threads that do the same work at once and wait for each other; when one fails, all end.</summary>
internal sealed class ThreadTeam(int count, Action stop) : IDisposable
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);
    private readonly Barrier barrier = new(count);
    private readonly CancellationTokenSource failed = new();

    /// <summary>Waits for the others.</summary>
    /// <exception cref="OperationCanceledException">One of them has failed.</exception>
    public void Meet()
    {
        if (!barrier.SignalAndWait(LongestWait, failed.Token))
            throw new TimeoutException($"A thread of the bench did not come for {LongestWait.TotalSeconds:0} s.");
    }

    /// <summary>Runs the work on all threads, told their number from 0, and waits for their end.</summary>
    /// <exception cref="InvalidOperationException">A thread failed; the inner exception says why.</exception>
    public void Run(Action<int> work)
    {
        Exception? first = null;
        List<Thread> threads = [.. Enumerable.Range(0, count).Select(i => new Thread(() =>
        {
            try
            {
                work(i);
            }
#pragma warning disable CA1031 // The thread's top: thrown on by the caller.
            catch (Exception e)
#pragma warning restore CA1031
            {
                Interlocked.CompareExchange(ref first, e, null);
                failed.Cancel();
                stop();
            }
        })
        { IsBackground = true })];
        threads.ForEach(t => t.Start());
        threads.ForEach(t => t.Join());
        if (first is not null) throw new InvalidOperationException($"A thread of the bench failed: {first.Message}", first);
    }

    public void Dispose()
    {
        barrier.Dispose();
        failed.Dispose();
    }
}
