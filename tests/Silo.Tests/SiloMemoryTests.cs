using Distributed.Core.DataSets;
using Distributed.Core.Jobs;
using Distributed.Core.Models;
using Distributed.Core.Spec;
using Distributed.Core.Values;
using Distributed.Silo.Ranks;
using Distributed.Silo.Settings;

namespace Distributed.Silo.Tests;

public sealed class SiloMemoryTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("dtrain-silo-memory-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static readonly JobSpec Job = Specs.Job() with { Model = ModelSpec.Of(new MlpOptions { Sizes = new([3072, 1000, 10]) }) };

    private static SiloMemory Of(long? limit, string? dataRoot = "/data") =>
        new(new ServeSettings { Token = "", JobsRoot = "/jobs", DataRoot = dataRoot, SiloName = "silo-7", Memory = limit });

    [Fact]
    public void Check_MoreThanTheSiloMayUse_IsRefusedWithTheFigures()
    {
        var need = (long)JobMemory.Of(Job, 2).Total;
        Of(need).Check(Job, 2);
        var refused = Assert.Throws<JobException>(() => Of(need - 1).Check(Job, 2));
        Assert.Equal(ErrorCodes.Memory, refused.Code);
        Assert.StartsWith(
            $"With 2 ranks on silo silo-7 the job needs at least {MemorySize.Text(need)}: ", refused.Message, StringComparison.Ordinal);
        Assert.Contains("for weights and optimizer", refused.Message, StringComparison.Ordinal);
        Assert.Contains("DTRAIN_MEMORY", refused.Message, StringComparison.Ordinal);
        Of(need - 1).Check(Job, 1);
    }

    /// <summary>A few hundred bytes on a disk can be a file of any length.</summary>
    [Theory]
    [InlineData("text")]
    [InlineData("tensors")]
    public void Check_DataFileLargerThanTheSilo_IsRefusedUnread(string data)
    {
        var (file, link) = (Path.Combine(folder, "huge"), Path.Combine(folder, "link"));
        using (var sparse = File.Create(file)) sparse.SetLength(20L << 30);
        File.CreateSymbolicLink(link, file);
        foreach (var path in new[] { file, link })
        {
            var refused = Assert.Throws<JobException>(() => Of(8L << 30)
                .Check(Job with { Data = DataSpec.Of((DataOptions)JobCatalog.Current.DataSets.Find(data)!.Set.Defaults, path) }, 1));
            Assert.Contains("20 GiB for data", refused.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Limit_NotSet_IsTheMachines()
    {
        Assert.InRange(Of(null).Limit, 1L << 28, 1L << 50);
        Assert.DoesNotContain(
            "DTRAIN_MEMORY", Assert.Throws<JobException>(() => Of(1, dataRoot: null).Check(Job, 1)).Message, StringComparison.Ordinal);
    }
}
