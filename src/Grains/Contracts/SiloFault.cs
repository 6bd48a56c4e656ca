using System.Globalization;
using Distributed.Core.Jobs;
using Orleans.Concurrency;

namespace Distributed.Grains.Contracts;

/// <summary>What kept a silo from running a job that may run elsewhere.</summary>
/// <param name="Message">What it said.</param>
/// <param name="Inputs">Files that the job reads, where the fault is about those; null: it may hit any job.</param>
[GenerateSerializer, Immutable]
public sealed record SiloFault(
    [property: Id(0)] string Silo,
    [property: Id(1)] string Code,
    [property: Id(2)] string Message,
    [property: Id(3)] string? Inputs,
    [property: Id(4)] DateTimeOffset Since)
{
    /// <summary>How long a silo is passed over for jobs like the one that failed there.</summary>
    public static readonly TimeSpan PassOver = TimeSpan.FromMinutes(5);

    public bool IsOver(DateTimeOffset now) => now - Since >= PassOver || Since - now > PassOver;

    /// <summary>Whether it would hit a job that reads these files, too.</summary>
    public bool Concerns(string inputs) => Inputs is null || Inputs == inputs;

    /// <summary>For people who look at the silo.</summary>
    public string Words => string.Create(
        CultureInfo.InvariantCulture,
        $"passed over until {Since + PassOver:HH:mm:ss'Z'} for "
        + $"{(Inputs is null ? "jobs that can run elsewhere" : $"jobs that read {Inputs}")}: [{Code}] {Message.ReplaceLineEndings(" ")}");

    /// <summary>Whether an error is of the silo where it came up, as far as that one can tell.</summary>
    public static bool IsOne(string code) => code is ErrorCodes.PathMissing or ErrorCodes.Storage or ErrorCodes.Native;
}
