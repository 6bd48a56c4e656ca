using System.Net;
using Distributed.Core.Jobs;
using Distributed.Grains.Contracts;
using Orleans.Runtime;

namespace Distributed.Grains.Tests.Workers;

public sealed class WorkerKeyTests
{
    [Fact]
    public void Parse_OfText_GivesTheKeyBack()
    {
        var key = new WorkerKey(SiloAddress.New(IPAddress.Loopback, 4711, 99), JobId.Parse("toy-1.x"), new(3), new(12));
        Assert.Equal(key, WorkerKey.Parse(key.ToString()));
    }

    [Fact]
    public void Parse_OtherText_SaysWhatWasExpected() =>
        Assert.Contains(
            "expected silo/job/generation/rank", Assert.Throws<FormatException>(() => WorkerKey.Parse("toy")).Message,
            StringComparison.Ordinal);
}
