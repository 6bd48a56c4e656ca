using Distributed.Core.Spec;

namespace Distributed.Training.Tests.Data;

internal static class Specs
{
    public static JobSpec Of(string data, string? path = null, long seed = 1) => new()
    {
        Name = "t",
        Model = new ModelSpec { Name = "simple-cnn" },
        Data = new DataSpec { Name = data, Path = path },
        GlobalBatch = 8,
        MicroBatch = 4,
        Seed = seed,
    };
}
