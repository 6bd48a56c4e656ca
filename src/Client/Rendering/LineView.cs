using Distributed.Client.Following;

namespace Distributed.Client.Rendering;

/// <summary>A line of progress every two seconds, for logs and pipes.</summary>
internal sealed class LineView(TextWriter error, TimeProvider time) : IProgressView
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    public Task ShowAsync(RunProgress progress, Func<Action, Task> follow)
    {
        long? last = null;
        string? waiting = null;
        return follow(() =>
        {
            if (progress.Waiting != waiting && progress.Waiting is { } reason) error.WriteLine($"waiting: {reason}");
            waiting = progress.Waiting;
            if (waiting is not null || progress.Step is null || (last is { } before && time.GetElapsedTime(before) < Interval)) return;
            last = time.GetTimestamp();
            error.WriteLine(string.Join("  ", ProgressCells.Of(progress).Select(cell => $"{cell.Label} {cell.Value}")));
        });
    }

    public void Say(string message) => error.WriteLine(message);
}
