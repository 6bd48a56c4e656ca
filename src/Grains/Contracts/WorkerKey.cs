using System.Globalization;
using Distributed.Core.Jobs;
using Orleans.Runtime;

namespace Distributed.Grains.Contracts;

/// <summary>Key of a worker grain: the silo (with its own generation, so a restarted one never inherits), job, generation, rank.</summary>
public readonly record struct WorkerKey(SiloAddress Silo, JobId JobId, Generation Generation, Rank Rank)
{
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Silo.ToParsableString()}/{JobId}/{Generation}/{Rank}");

    /// <exception cref="FormatException">The text is no worker key.</exception>
    public static WorkerKey Parse(string text)
    {
        var parts = text.Split('/');
        if (parts.Length != 4) throw new FormatException($"'{text}' is not a worker key: expected silo/job/generation/rank.");
        return new WorkerKey(
            SiloAddress.FromParsableString(parts[0]),
            JobId.Parse(parts[1]),
            new(int.Parse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture)),
            new(int.Parse(parts[3], NumberStyles.None, CultureInfo.InvariantCulture)));
    }
}
