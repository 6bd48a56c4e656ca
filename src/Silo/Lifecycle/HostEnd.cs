namespace Distributed.Silo.Lifecycle;

/// <summary>Tells a silo that was told to leave from one whose host ended by itself.</summary>
internal static class HostEnd
{
    /// <summary>Waits for the first of both.</summary>
    /// <param name="told">Completes when the silo is told to leave.</param>
    /// <param name="error">Gets a line that says why the host ended by itself.</param>
    /// <returns>The exit code: 0 when it was told to leave, otherwise 1.</returns>
    public static async Task<int> Await(Task told, IServiceProvider services, TextWriter error)
    {
        var stopping = services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
#pragma warning disable VSTHRD003 // Nothing here holds a context that the task could wait for.
        if (await Task.WhenAny(told, When(stopping)) == told) return 0;
#pragma warning restore VSTHRD003
        await error.WriteLineAsync(
            $"dtrain-silo: {Why(services)} The silo ends. Start it again; its jobs continue from their last checkpoints.");
        return 1;
    }

    /// <summary>Completes when a token is cancelled.</summary>
    public static Task When(CancellationToken token)
    {
        TaskCompletionSource cancelled = new(TaskCreationOptions.RunContinuationsAsynchronously);
        token.Register(() => cancelled.TrySetResult());
        return cancelled.Task;
    }

    private static string Why(IServiceProvider services)
    {
        var broken = services.GetServices<IHostedService>().OfType<BackgroundService>()
            .Where(part => part.ExecuteTask is { IsCompleted: true, IsCompletedSuccessfully: false }).ToList();
        return broken.Count == 0
            ? "the host of this silo stopped, and no part of it says why; see its log."
            : string.Join(' ', broken.Select(part => $"{part.GetType().Name} failed: {Words(part.ExecuteTask!)}."));
    }

    private static string Words(Task failed) =>
        failed.Exception?.GetBaseException() is { } cause
            ? $"{cause.GetType().Name}: {cause.Message.ReplaceLineEndings(" ").TrimEnd('.')}"
            : "it was cancelled";
}
