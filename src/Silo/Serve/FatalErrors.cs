using Orleans.Runtime;

namespace Distributed.Silo.Serve;

/// <summary>What Orleans cannot go on from, such as having been declared dead, ends the process at once.</summary>
/// <remarks>Orleans' own way ends it with a signal to itself, which the first process of a container does not obey.</remarks>
internal sealed partial class FatalErrors(ILogger<FatalErrors> logger) : IFatalErrorHandler
{
    public bool IsUnexpected(Exception exception) => true;

    public void OnFatalException(object? sender = null, string? context = null, Exception? exception = null)
    {
        LogFatal(context ?? "an error that it does not name", exception);
        ProcessEnd.Now();
    }

    [LoggerMessage(4213, LogLevel.Critical, "This silo cannot go on and ends: {Context}. Its jobs go on elsewhere.")]
    private partial void LogFatal(string context, Exception? error);
}
