namespace Distributed.Bench.Prediction;

/// <summary>How the ranks and the batch of a step are laid out.</summary>
/// <param name="Ranks">Over all silos, dealt evenly.</param>
/// <param name="Silos">Of this machine.</param>
/// <param name="MicroBatch">Samples of one forward and backward.</param>
/// <param name="MicroBatches">Of each rank in a step.</param>
/// <param name="Overlap">Gradients leave while backward runs.</param>
internal sealed record StepLayout(int Ranks, int Silos, int MicroBatch, int MicroBatches, bool Overlap)
{
    public int RanksPerSilo => Ranks / Silos;
}
