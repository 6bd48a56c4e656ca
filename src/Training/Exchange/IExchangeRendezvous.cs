using System.Collections.Immutable;

namespace Distributed.Training.Exchange;

/// <summary>Where the silos of a generation tell each other how to be reached, before the first step.</summary>
public interface IExchangeRendezvous
{
    /// <summary>Hands in this silo's offer and blocks until all silos of the generation have handed in theirs.</summary>
    /// <exception cref="Core.Jobs.JobException">
    /// A silo did not come within the deadline, or its fingerprint differs; the message names the silos and, in the
    /// second case, both values.
    /// </exception>
    ExchangeMesh Meet(ExchangeOffer offer);
}

/// <summary>What a silo brings to the first meeting of a generation.</summary>
/// <param name="Endpoint">Address and port of its exchange socket, such as <c>127.0.0.1:43211</c>; empty when it has none.</param>
/// <param name="Fingerprint">Everything that must be equal in all silos for equal bits, in words.</param>
public sealed record ExchangeOffer(string Endpoint, string Fingerprint);

/// <summary>The silos of a generation, in rank order, and the secret that they alone share.</summary>
/// <param name="Endpoints">By silo, in rank order.</param>
/// <param name="Secret">32 random bytes, made for this generation; never logged.</param>
public sealed record ExchangeMesh(ImmutableArray<string> Endpoints, ImmutableArray<byte> Secret);
