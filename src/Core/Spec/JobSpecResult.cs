using Distributed.Core.Documents;

namespace Distributed.Core.Spec;

/// <summary>A job, or all that is wrong with its text.</summary>
/// <param name="Spec">Null exactly when there are errors.</param>
public sealed record JobSpecResult(JobSpec? Spec, IReadOnlyList<SpecError> Errors);
