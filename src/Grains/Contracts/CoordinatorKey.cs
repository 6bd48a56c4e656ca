using System.Globalization;
using Distributed.Core.Jobs;

namespace Distributed.Grains.Contracts;

/// <summary>Key of the grain that joins the silos of one generation of a job.</summary>
public static class CoordinatorKey
{
    public static string Of(JobId jobId, Generation generation) => string.Create(CultureInfo.InvariantCulture, $"{jobId}/{generation}");
}
