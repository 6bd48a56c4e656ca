using Distributed.Core.DataSets;
using Distributed.Core.Models;
using Distributed.Core.Spec;

namespace Distributed.Training.Tests.Data;

internal static class Specs
{
    public static JobSpec Of(string data, string? path = null, long seed = 1) => new()
    {
        Name = "t",
        Model = ModelSpec.Of(new SimpleCnnOptions()),
        Data = DataSpec.Of((DataOptions)JobCatalog.Current.DataSets.Find(data)!.Set.Defaults, path),
        GlobalBatch = 8,
        MicroBatch = 4,
        Seed = seed,
    };
}
