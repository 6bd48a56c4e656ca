namespace Distributed.Client.Rendering;

internal static class ProgressViews
{
    /// <summary>Live on a terminal, a line now and then elsewhere, nothing next to a stream of events.</summary>
    public static IProgressView Choose(TextWriter error, bool events, TimeProvider time)
    {
        if (events) return new SilentView(error);
        var terminal = ReferenceEquals(error, Console.Error) && !Console.IsErrorRedirected
            && Environment.GetEnvironmentVariable("TERM") is not (null or "" or "dumb");
        return terminal ? new LiveView(error, time) : new LineView(error, time);
    }
}
