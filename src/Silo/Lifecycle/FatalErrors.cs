using Distributed.Silo.Failures;
using Orleans.Runtime;

namespace Distributed.Silo.Lifecycle;

/// <summary>What Orleans cannot go on from, such as having been declared dead, ends the process at once.</summary>
/// <remarks>Orleans' own way ends it with a signal to itself, which the first process of a container does not obey.</remarks>
internal sealed class FatalErrors : IFatalErrorHandler
{
    public bool IsUnexpected(Exception exception) => true;

    public void OnFatalException(object? sender = null, string? context = null, Exception? exception = null) =>
        ProcessEnd.Now($"this silo cannot continue and ends: {context ?? "an error that Orleans does not name"} {exception?.Message}. "
            + "Its jobs continue elsewhere.");
}
