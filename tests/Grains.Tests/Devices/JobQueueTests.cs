using Distributed.Grains.Devices;

namespace Distributed.Grains.Tests.Devices;

public sealed class JobQueueTests
{
    [Fact]
    public void Head_FirstCome_FirstServed()
    {
        var queue = new JobQueue();
        queue.Add(new QueuedJob("a", 1, 0));
        queue.Add(new QueuedJob("b", 1, 0));
        queue.Add(new QueuedJob("a", 2, 0));
        Assert.Equal("a", queue.Head!.JobId);
        Assert.True(queue.Remove("a"));
        Assert.Equal("b", queue.Head!.JobId);
        Assert.False(queue.Remove("a"));
        queue.Remove("b");
        Assert.Null(queue.Head);
    }
}
