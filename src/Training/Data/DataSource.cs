namespace Distributed.Training.Data;

/// <summary>A job's data: what it trains on and, where there is one, what it is evaluated on.</summary>
/// <param name="Endless">The training split is a stream that wraps round.</param>
/// <param name="Classes">Number of classes; 0 where labels are no class numbers or their number is not known.</param>
internal sealed record DataSource(IDataSplit Train, IDataSplit? Test, bool Endless, int Classes);
