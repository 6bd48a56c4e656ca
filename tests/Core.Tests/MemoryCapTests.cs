using Distributed.Core.Machine;

namespace Distributed.Core.Tests;

public sealed class MemoryCapTests
{
    private const long GiB = 1L << 30;

    /// <summary>What is there is taken as it is, and what is resident counts against the limit.</summary>
    [Theory]
    [InlineData(100, 3, 1, 99)]
    [InlineData(100, 40, 97, 40)]
    [InlineData(100, 40, 200, 40)]
    public void Of_LeavesWhatTheLimitLeaves(long limit, long data, long resident, long most) =>
        Assert.Equal(most * GiB, MemoryCap.Of(limit * GiB, data * GiB, resident * GiB));
}
