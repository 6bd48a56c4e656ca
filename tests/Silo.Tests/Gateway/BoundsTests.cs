using Distributed.Core.DataSets;
using Distributed.Core.Models;
using Distributed.Core.Spec;
using Distributed.Protocol.V1;
using Grpc.Core;

namespace Distributed.Silo.Tests.Gateway;

/// <summary>What one user may pile up, and how much of it one answer brings.</summary>
public sealed class BoundsTests(OneSilo silo) : IClassFixture<OneSilo>
{
    [Fact]
    public async Task Submit_MoreThanMayWait_IsRefusedInWordsAndListBringsPages()
    {
        using var dan = silo.Client(OneSilo.Dan);
        await dan.Ask<SubmitReply>("Submit", Waiting("dan-0"));
        await dan.Ask<SubmitReply>("Submit", Waiting("dan-1"));
        var refused = await Assert.ThrowsAsync<RpcException>(() => dan.Ask<SubmitReply>("Submit", Waiting("dan-2")));
        Assert.Equal(StatusCode.ResourceExhausted, refused.StatusCode);
        Assert.StartsWith("user dan has 2 jobs in the queue and may have 2: ", refused.Status.Detail, StringComparison.Ordinal);
        Assert.Equal("quota", refused.Trailers.GetValue("dtrain-error"));
        // The same job again is no other one.
        Assert.False((await dan.Ask<SubmitReply>("Submit", Waiting("dan-1"))).Created);

        var first = await dan.Ask<ListReply>("List", new ListRequest { PageSize = 1, User = "dan", States = { "queued" } });
        Assert.Equal("dan-1", Assert.Single(first.Jobs).Id);
        var second = await dan.Ask<ListReply>(
            "List", new ListRequest { PageSize = 1, User = "dan", States = { "queued" }, PageToken = first.NextPageToken });
        Assert.Equal("dan-0", Assert.Single(second.Jobs).Id);
        Assert.Empty((await dan.Ask<ListReply>("List", new ListRequest { States = { "failed" } })).Jobs);

        await dan.Ask<JobStatus>("Stop", new StopRequest { Id = "dan-0" });
        Assert.True((await dan.Ask<SubmitReply>("Submit", Waiting("dan-2"))).Created);
    }

    [Fact]
    public async Task Get_IdWithControls_IsShownEscaped()
    {
        using var dan = silo.Client(OneSilo.Dan);
        var status = await OneSilo.StatusOf(() => dan.Ask<JobStatus>("Get", new GetRequest { Id = "a\u001b[2J" }));
        Assert.Equal(StatusCode.InvalidArgument, status.StatusCode);
        Assert.StartsWith(@"id: found 'a\u001b[2J', expected 1 to 64 letters", status.Detail, StringComparison.Ordinal);
    }

    /// <summary>Needs more slots than there are.</summary>
    private static SubmitRequest Waiting(string id) => new()
    {
        Id = id,
        SpecJson = JobSpecJson.Write(Specs.Job() with
        {
            GlobalBatch = 8192,
            MicroBatch = 2,
            Model = ModelSpec.Of(new MlpOptions { Sizes = new([3072, 4, 10]) }),
            Data = DataSpec.Of(new ShapesOptions { Samples = 8192 }),
            Workers = new WorkersSpec { Min = 4096, Max = 4096 },
        }),
    };
}
