using System.Collections.Immutable;
using Distributed.Core.Events;
using Orleans.Concurrency;

namespace Distributed.Bench.AllReduce;

/// <summary>How the bytes of a timed run travel.</summary>
public enum AllReduceWay
{
    /// <summary>Ranks of one silo read each other's memory.</summary>
    Memory,

    /// <summary>As <c>exchange: peer</c> goes between silos of one machine: through memory that both have.</summary>
    Peer,

    /// <summary>As <c>exchange: peer</c> goes between machines: over the silos' own sockets.</summary>
    PeerOverTcp,

    /// <summary>Calls of the coordinator grain, as <c>exchange: coordinator</c>.</summary>
    Coordinator,

    /// <summary>No all-reduce: as many bytes over plain blocking sockets, and no sum.</summary>
    Sockets,
}

/// <param name="RunId">Names the run's coordinator; the generation is 1.</param>
/// <param name="RanksBySilo">In rank order.</param>
/// <param name="Silo">This silo's place.</param>
/// <param name="SiloName">This silo's name, as the coordinator knows it.</param>
/// <param name="Seat">The first silo's name: the run's coordinator is asked for from there first.</param>
/// <param name="Bytes">Of the FP32 gradient, a multiple of 4.</param>
/// <param name="MeetDeadline">Longest wait for the other silos.</param>
[GenerateSerializer, Immutable]
public sealed record AllReduceOrder(
    [property: Id(0)] string RunId,
    [property: Id(1)] AllReduceWay Way,
    [property: Id(2)] ImmutableArray<int> RanksBySilo,
    [property: Id(3)] int Silo,
    [property: Id(4)] string SiloName,
    [property: Id(5)] string Seat,
    [property: Id(6)] long Bytes,
    [property: Id(7)] int Iterations,
    [property: Id(8)] TimeSpan MeetDeadline);

/// <param name="Seconds">By iteration; empty with an error.</param>
/// <param name="Wrong">Elements of the last result that are not the sum.</param>
[GenerateSerializer, Immutable]
public sealed record AllReduceResult(
    [property: Id(0)] ImmutableArray<double> Seconds, [property: Id(1)] long Wrong, [property: Id(2)] JobError? Error);
