using Distributed.Core.Events;

namespace Distributed.Bench.Prediction;

/// <summary>What the steps of a layout took: medians, in seconds.</summary>
/// <param name="Seconds">Of the whole step.</param>
/// <param name="Phases">Of the first silo, so that what it waits for others is in them.</param>
/// <param name="Exchange">Between the silos, of the one that waits for nobody; 0 with one silo.</param>
/// <param name="Bytes">Of the FP32 gradient as it leaves a silo; 0 with one silo.</param>
/// <param name="Buckets">In which it leaves; 0 with one silo.</param>
/// <param name="IsFitted">A <see cref="StepModel"/> is made from it; false: one is checked against it.</param>
internal sealed record MeasuredStep(
    StepLayout Layout, double Seconds, PhaseSeconds Phases, double Exchange, long Bytes, int Buckets, bool IsFitted)
{
    public double Compute => Phases.Data + Phases.Forward + Phases.Backward;

    /// <value>The update, and what is in no phase.</value>
    public double Update => Seconds - Compute - Phases.Exchange - Phases.Decide;
}
