using Distributed.Core.Canonical;
using Distributed.Core.Events;
using Distributed.Training.Reduction;

namespace Distributed.Training.Exchange;

/// <summary>
/// Sums the gradients of all ranks of a job, step by step: each rank brings its partials, and the whole reduced gradient comes back.
/// </summary>
/// <remarks>
/// Within a silo, over sockets (<c>peer</c>) or through the coordinator grain (<c>coordinator</c>): not one bit of the result depends
/// on which. Results are in the <see cref="ReducedGradient"/> of the <see cref="ExchangeJob"/> it was opened with.
/// </remarks>
public interface IGradientExchange : IDisposable
{
    /// <summary>
    /// Parts of the flat gradient that leave the silo one by one, while backward still works on others. Empty: nothing leaves.
    /// </summary>
    IReadOnlyList<BlockRun> Buckets { get; }

    /// <summary>What the silos tell each other beside their gradients.</summary>
    SiloReports Reports { get; }

    /// <summary>Opens a step, before any rank of the silo begins it. By one thread.</summary>
    /// <param name="step">Counted from 1; each step follows the one before.</param>
    void Begin(long step, GradientFactors factors);

    /// <summary>
    /// The partials of all ranks of the silo are final in a bucket: it may leave. By any thread, once per step and bucket; returns at once.
    /// </summary>
    void Release(int bucket);

    /// <summary>
    /// Takes part in the step's sums. By every rank of the silo, on its own thread, when its partials are final and its losses
    /// are written; blocks.
    /// </summary>
    /// <remarks>The whole reduced gradient is there when the calls of all ranks of the silo have returned.</remarks>
    /// <param name="rank">Place among the silo's ranks.</param>
    /// <param name="patience">Longest wait for another silo without news.</param>
    /// <exception cref="Core.Jobs.JobException">
    /// A silo is lost, broke the protocol or kept silent for too long; names silo, step and bucket.
    /// </exception>
    /// <exception cref="Ranks.StalledRankException">A rank of this silo did not come.</exception>
    void Reduce(int rank, TimeSpan patience);

    /// <summary>Ends every wait, now and later, and tells the other silos why. By any thread.</summary>
    void Abort(JobError reason);
}

/// <summary>Opens a generation's exchange, when the silo's own preparations are done.</summary>
public interface IExchangeFactory
{
    /// <summary>Meets the other silos and connects to them; blocks the calling rank thread.</summary>
    /// <exception cref="Core.Jobs.JobException">A silo did not come, or does not fit.</exception>
    IGradientExchange Open(ExchangeJob job);
}
