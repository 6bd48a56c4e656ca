using Orleans.Runtime;

namespace Distributed.Silo.Gateway;

/// <summary>A call of a grain that changes nothing, asked again while the grain is on its way from one silo to another.</summary>
internal static class Question
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// A grain that was lost is found elsewhere within this; a caller that is told of a failure before that asks in vain.
    /// </summary>
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(2);

    /// <exception cref="OrleansMessageRejectionException">Nobody took the call in that time.</exception>
    public static async Task<T> Ask<T>(Func<Task<T>> ask, TimeProvider time, CancellationToken cancel)
    {
        for (var begin = time.GetTimestamp(); ;)
        {
            try
            {
                return await ask();
            }
            catch (OrleansMessageRejectionException) when (time.GetElapsedTime(begin) < Longest && !cancel.IsCancellationRequested)
            {
                await Task.Delay(Pause, time, cancel);
            }
        }
    }
}
