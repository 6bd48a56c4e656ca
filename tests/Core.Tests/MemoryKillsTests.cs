using Distributed.Core.Machine;
using Distributed.Core.Tests.Checkpoints;
using Distributed.Testing;

namespace Distributed.Core.Tests;

public sealed class MemoryKillsTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Theory]
    [InlineData("pgfault 7\noom_kill 12\noom_kill_other 3\n", 12L)]
    [InlineData("pgfault 7\n", null)]
    [InlineData("oom_kill many\n", null)]
    [InlineData("", null)]
    public void Count_IsTheKernelsRow(string content, long? count)
    {
        Directory.CreateDirectory(directory.File("proc"));
        File.WriteAllText(directory.File("proc/vmstat"), content);
        Assert.Equal(count, MemoryKills.Count(directory.Path));
    }

    [Fact]
    public void Count_NoSuchFile_IsUnknown() => Assert.Null(MemoryKills.Count(directory.Path));
}
