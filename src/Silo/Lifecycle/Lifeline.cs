using Distributed.Silo.Failures;

namespace Distributed.Silo.Lifecycle;

/// <summary>The pipe that tells whether the client still lives.</summary>
internal static class Lifeline
{
    /// <summary>From the end of the lifeline to the end of the process, whatever stands in the way.</summary>
    private static readonly TimeSpan LongestFarewell = TimeSpan.FromSeconds(4.5);

    /// <summary>Ties a verb that ends by itself to its client too, when the client asks for it with <c>--lifeline</c>.</summary>
    /// <param name="gone">Cancelled when the client has gone, for whatever the verb started itself.</param>
    /// <returns>The other arguments.</returns>
    public static IReadOnlyList<string> FollowIfAsked(IReadOnlyList<string> arguments, out CancellationToken gone)
    {
        gone = CancellationToken.None;
        if (!arguments.Contains("--lifeline")) return arguments;
        var left = new CancellationTokenSource();
        gone = left.Token;
        _ = Follow(new StreamReader(Console.OpenStandardInput())).ContinueWith(_ => left.Cancel(), TaskScheduler.Default);
        return [.. arguments.Where(a => a != "--lifeline")];
    }

    /// <summary>Reads on a thread of its own, so that neither a full thread pool nor busy ranks delay it.</summary>
    /// <returns>Completes at the end of the input; from then on the process has less than 5 s to live.</returns>
    public static Task Follow(TextReader input)
    {
        var gone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() =>
        {
            ReadToEnd(input);
            gone.SetResult();
            using var never = new ManualResetEventSlim();
            never.Wait(LongestFarewell);
            ProcessEnd.Now();
        })
        { IsBackground = true, Name = "lifeline" }.Start();
        return gone.Task;
    }

    private static void ReadToEnd(TextReader input)
    {
        try
        {
            while (input.Read() >= 0)
            {
            }
        }
        catch (IOException)
        {
            // A broken pipe is as good as a closed one.
        }
    }
}
