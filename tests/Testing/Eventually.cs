namespace Distributed.Testing;

/// <summary>Waits for what comes by itself. The patience is there only to end a hang.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    /// <summary>Asks until the answer is as expected.</summary>
    public static async Task<T> Is<T>(Func<Task<T>> ask, Func<T, bool> expected)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            var answer = await ask();
            if (expected(answer)) return answer;
            Assert.False(patience.IsCancellationRequested, $"Not as expected after {Patience.TotalMinutes} minutes: {answer}");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        }
    }
}
