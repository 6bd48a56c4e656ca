namespace Distributed.Client.Outcomes;

/// <summary>A command that ends here with one message on stderr.</summary>
internal sealed class CommandFailure(int exitCode, string message) : Exception(message)
{
    public int ExitCode { get; } = exitCode;
}
