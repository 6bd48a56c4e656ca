namespace Distributed.Core.Documents;

/// <summary>One thing that is wrong with a job's text.</summary>
/// <param name="Path">The setting, such as <c>optimizer.lr</c>; empty for the text as a whole.</param>
/// <param name="Message">What was found and what was expected.</param>
public sealed record SpecError(SpecPosition At, string Path, string Message)
{
    public int Line => At.Line;

    public int Column => At.Column;

    /// <summary>The error with its place, such as <c>job.yaml:3:5: optimizer.lr: found ...</c>.</summary>
    /// <param name="file">The file's name as the user wrote it; null leaves it out.</param>
    public string Format(string? file)
    {
        var message = Path.Length == 0 ? Message : $"{Path}: {Message}";
        if (At.Source is { } source) return $"{source}: {message}";
        var place = At.Line == 0 ? "" : FormattableString.Invariant($"{At.Line}:{At.Column}: ");
        return file is null ? place + message : At.Line == 0 ? $"{file}: {message}" : $"{file}:{place}{message}";
    }

    public override string ToString() => Format(null);
}
