namespace Distributed.Grains.Placement;

/// <summary>Whether this silo takes no more ranks and no more jobs: it is about to leave, or an operator has drained it.</summary>
public sealed class SiloDrain
{
    private readonly Lock gate = new();
    private bool leaving;
    private bool asked;
    private TaskCompletionSource? begun;

    public bool IsDraining
    {
        get
        {
            lock (gate) return leaving || asked;
        }
    }

    /// <summary>For good: the process ends.</summary>
    public bool IsLeaving
    {
        get
        {
            lock (gate) return leaving;
        }
    }

    /// <summary>The silo leaves.</summary>
    public void Begin()
    {
        lock (gate) leaving = true;
    }

    /// <summary>An operator drains the silo, or takes that back.</summary>
    /// <returns>Whether it drains now.</returns>
    public bool Ask(bool drain)
    {
        lock (gate)
        {
            asked = drain;
            if (asked) begun?.TrySetResult();
            return leaving || asked;
        }
    }

    /// <summary>Completes when an operator has drained the silo; at once while it is.</summary>
    public async Task WhenAsked(CancellationToken cancel)
    {
        TaskCompletionSource next;
        lock (gate)
        {
            if (asked) return;
            if (begun is null || begun.Task.IsCompleted)
                begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            next = begun;
        }

        await next.Task.WaitAsync(cancel);
    }
}
