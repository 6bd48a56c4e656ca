namespace Distributed.Silo.Failures;

/// <summary>Words of exceptions for people.</summary>
internal static class ExceptionText
{
    /// <summary>
    /// The first line of the message; what Orleans passes on from storage and network bears its whole history, which is for the log.
    /// </summary>
    public static string FirstLine(this Exception e) => e.Message.Split('\n', 2)[0].TrimEnd();
}
