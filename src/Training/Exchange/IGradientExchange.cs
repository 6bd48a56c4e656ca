using Distributed.Core.Events;
using Distributed.Training.Reduction;

namespace Distributed.Training.Exchange;

/// <summary>Brings the gradient sums of all silos together: each silo gives its partials bucket by bucket and gets the whole reduced gradient.</summary>
/// <remarks>The results land in the <see cref="ExchangeBuffers"/> it was opened with; they do not depend on the implementation.</remarks>
public interface IGradientExchange : IDisposable
{
    /// <summary>Opens a step; before any of its buckets is released. By one thread.</summary>
    /// <param name="step">Counted from 1; each step follows the one before.</param>
    void Begin(long step, GradientFactors factors);

    /// <summary>The silo's partials of a bucket are final: it may leave. By any thread, once a step and bucket; returns at once.</summary>
    void Release(int bucket);

    /// <summary>Blocks until the whole reduced gradient and all losses are here and nothing of this silo waits to be sent. By one thread, after all buckets were released.</summary>
    /// <param name="patience">Longest wait without news.</param>
    /// <exception cref="Core.Jobs.JobException">A silo is lost, broke the protocol or kept silent for too long; names silo, step and bucket.</exception>
    void Complete(TimeSpan patience);

    /// <summary>Ends every wait, now and later, and tells the other silos why. By any thread.</summary>
    void Abort(JobError reason);
}

/// <summary>Opens a generation's exchange, when the silo's own preparations are done.</summary>
public interface IExchangeFactory
{
    /// <summary>Meets the other silos and connects to them; blocks the calling rank thread.</summary>
    /// <exception cref="Core.Jobs.JobException">A silo did not come, or does not fit.</exception>
    IGradientExchange Open(ExchangeBuffers buffers);
}
