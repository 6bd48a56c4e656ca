namespace Distributed.Training.Data;

/// <summary>The micro-batches a rank will ask for: Start to End - 1 of each step from FirstStep to LastStep.</summary>
/// <param name="MicroBatchSize">Samples of a full micro-batch.</param>
internal sealed record PrefetchRange(int Start, int End, long FirstStep, long LastStep, int MicroBatchSize);
