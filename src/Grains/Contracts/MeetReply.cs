using System.Collections.Immutable;
using Distributed.Core.Events;
using Orleans.Concurrency;

namespace Distributed.Grains.Contracts;

/// <summary>Either how the silos of a generation reach each other, or why they do not meet.</summary>
/// <param name="Endpoints">By silo, in rank order; empty with an error.</param>
/// <param name="Secret">32 random bytes that the silos of this generation share; empty with an error.</param>
[GenerateSerializer, Immutable]
public sealed record MeetReply(
    [property: Id(0)] ImmutableArray<string> Endpoints,
    [property: Id(1)] ImmutableArray<byte> Secret,
    [property: Id(2)] JobError? Error)
{
    public static MeetReply Refused(JobError error) => new([], [], error);

    /// <summary>Whatever logs the reply does not log the secret.</summary>
    public override string ToString() => Error is null ? $"endpoints {string.Join(", ", Endpoints)}" : Error.ToString();
}
