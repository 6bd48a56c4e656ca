using Distributed.Core.Canonical;

namespace Distributed.Training.Exchange;

/// <summary>All that the sum of a slice depends on besides the gradients; equal in all silos of a generation.</summary>
/// <param name="Elements">Of the flat buffer: whole blocks.</param>
/// <param name="SiloRuns">Micro-batches by silo: contiguous, in order, none empty.</param>
/// <param name="Parameters">Elements of each parameter in the flat buffer, in its order, without padding.</param>
public sealed record SliceLayout(long Elements, IReadOnlyList<MicroBatchRun> SiloRuns, IReadOnlyList<(long Offset, long Count)> Parameters);
