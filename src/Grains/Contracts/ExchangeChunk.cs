using System.Runtime.InteropServices;
using Distributed.Core.Jobs;
using Orleans.Concurrency;

namespace Distributed.Grains.Contracts;

/// <summary>
/// A slice of the gradient in one message: a silo's partials on their way to the coordinator, or their sum on its way back.
/// </summary>
/// <remarks>Who makes it gives its body back: a chunk that came from another process was made by the codec for its receiver.</remarks>
[Immutable]
public sealed class ExchangeChunk
{
    /// <value>Bytes of a body at most: 1 MiB of gradients, and room for what goes with them.</value>
    public const int LargestBody = 2 * 1024 * 1024;

    private readonly bool received;

    public ExchangeChunk(ChunkHeader header, ChunkBuffer body) => (Header, Body, BodyBytes) = (header, body, body.Length);

    /// <param name="body">Null: it was longer than <see cref="LargestBody"/>.</param>
    internal ExchangeChunk(ChunkHeader header, ChunkBuffer? body, long bodyBytes) =>
        (Header, Body, BodyBytes, received) = (header, body, bodyBytes, true);

    public ChunkHeader Header { get; }

    /// <value>Null when it was too long to be read.</value>
    public ChunkBuffer? Body { get; }

    public long BodyBytes { get; }

    /// <summary>Gives back a body that came from another process; once.</summary>
    public void ReturnReceived()
    {
        if (received) Body?.Return();
    }
}

/// <param name="Slice">Number in the plan; slices leave in this order.</param>
/// <param name="Silo">The sender's place in rank order.</param>
/// <param name="Handled">Slices of the step, from the first on, whose sums the sender has taken.</param>
/// <param name="FoundInf">Of a sum: a scaled value is not finite.</param>
/// <param name="InverseScale">First of the factors that the sum is multiplied with.</param>
/// <param name="MeanFactor">Second of them.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct ChunkHeader(
    Generation Generation, long Step, int Slice, int Silo, int Handled, bool FoundInf, float InverseScale, float MeanFactor);
