using System.Globalization;

namespace Distributed.Grains.Contracts;

/// <summary>Key of the grain that joins the silos of one generation of a job.</summary>
public static class CoordinatorKey
{
    public static string Of(string jobId, int generation) => string.Create(CultureInfo.InvariantCulture, $"{jobId}/{generation}");
}
