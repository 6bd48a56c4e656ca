namespace Distributed.Client.Cluster;

/// <summary>Tells a reader when nothing has come for a while, so that it may ask why.</summary>
internal static class QuietTimes
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    /// <returns>The lines, and null after 2 quiet seconds, then 4, 8, ... up to every 30.</returns>
    public static async IAsyncEnumerable<string?> MarkAsync(IAsyncEnumerable<string> lines, TimeProvider time)
    {
        await using var reader = lines.GetAsyncEnumerator();
        var quiet = First;
        var moving = reader.MoveNextAsync().AsTask();
        while (true)
        {
            if (!moving.IsCompleted && await Task.WhenAny(moving, Task.Delay(quiet, time)) != moving)
            {
                quiet = quiet * 2 < Longest ? quiet * 2 : Longest;
                yield return null;
                continue;
            }
            if (!await moving) yield break;
            quiet = First;
            yield return reader.Current;
            moving = reader.MoveNextAsync().AsTask();
        }
    }
}
