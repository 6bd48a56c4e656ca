using Distributed.Core.Samples;

namespace Distributed.Training.Data;

/// <summary>A job's data: what it trains on and, where there is one, what it is evaluated on.</summary>
/// <param name="Endless">The training split is a stream that wraps round.</param>
/// <param name="Classes">Number of classes; 0 where labels are no class numbers or their number is not known.</param>
internal sealed record DataSource(IDataSplit Train, IDataSplit? Test, bool Endless, int Classes)
{
    /// <value>Different tokens that the samples may hold; 0 where they hold none.</value>
    public int Vocabulary { get; init; }

    /// <value>Of all that was read; equal samples give equal values wherever and however they lie.</value>
    public required string Sha256 { get; init; }

    /// <value>What the user should know of the data though they can be used.</value>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>What was read, in few words.</summary>
    public DataSummary Summary => new(Train.Count, Test?.Count ?? 0, Vocabulary > 0 ? 0 : Classes, Vocabulary, Sha256);
}
