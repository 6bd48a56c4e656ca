namespace Distributed.Core.Documents;

/// <summary>A parsed text, or what is wrong with its syntax.</summary>
/// <param name="Root">Null exactly when there are errors.</param>
public sealed record SpecNodeResult(SpecNode? Root, IReadOnlyList<SpecError> Errors)
{
    public static SpecNodeResult Of(SpecNode root) => new(root, []);

    public static SpecNodeResult Failed(SpecPosition at, string path, string message) => new(null, [new(at, path, message)]);
}
