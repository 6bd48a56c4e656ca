namespace Distributed.Core.Jobs;

/// <summary>A job that cannot run or go on; the message names what, where and the remedy.</summary>
/// <param name="code">A stable word for scripts, such as <c>data-invalid</c>.</param>
public class JobException(string code, string message, Exception? inner = null) : Exception(message, inner)
{
    public string Code { get; } = code;
}
