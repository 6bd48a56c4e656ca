using Distributed.Core.DataSets;
using Distributed.Core.Models;
using Distributed.Core.Spec;
using Distributed.Grains.Contracts;
using Distributed.Protocol.V1;
using Distributed.Testing;
using Google.Protobuf;
using Grpc.Core;

namespace Distributed.Silo.Tests.Gateway;

/// <summary>Who may do what, asked at the endpoint itself.</summary>
public sealed class RightsTests(OneSilo silo) : IClassFixture<OneSilo>
{
    private static readonly (string Call, IMessage Request)[] Looks =
    [
        ("Get", new GetRequest { Id = "none" }), ("List", new ListRequest()), ("Watch", new WatchRequest { Id = "none" }),
        ("Logs", new LogsRequest { Id = "none" }), ("Why", new WhyRequest { Id = "none" }), ("Cluster", new ClusterRequest()),
    ];

    private static readonly (string Call, IMessage Request)[] Changes =
    [
        ("Submit", new SubmitRequest { SpecJson = "{}" }), ("Stop", new StopRequest { Id = "none" }),
        ("Resume", new ResumeRequest { Id = "none" }),
        ("Scale", new ScaleRequest { Id = "none", Workers = 2 }), ("Delete", new DeleteRequest { Id = "none" }),
    ];

    [Fact]
    public async Task Drain_ByAnAdminAlone_IsShownAndTakenBack()
    {
        using GatewayClient ann = silo.Client(OneSilo.Ann), admin = silo.Client(OneSilo.Admin);
        var refused = await StatusOf(ann, "Drain", new DrainRequest { Silo = "silo-0" });
        Assert.Equal(
            (StatusCode.PermissionDenied,
                "Drain needs the role admin, and user ann has the role submit; ask the cluster's operator for it."),
            (refused.StatusCode, refused.Detail));
        var unknown = await StatusOf(admin, "Drain", new DrainRequest { Silo = "silo-9" });
        Assert.Equal((StatusCode.InvalidArgument, "silo: found 'silo-9', expected one of silo-0."), (unknown.StatusCode, unknown.Detail));

        Assert.Equal("draining", (await admin.Ask<ClusterReply>("Drain", new DrainRequest { Silo = "silo-0" })).Silos.Single().State);
        Assert.Equal(
            (false, "draining: an operator drained silo silo-0, which takes no more ranks until 'dtrain drain silo-0 --undo'"),
            await silo.Service<Distributed.Silo.Lifecycle.IReadiness>().Check());
        Assert.NotEqual(
            "draining", (await admin.Ask<ClusterReply>("Drain", new DrainRequest { Silo = "silo-0", Undo = true })).Silos.Single().State);
        Assert.True((await silo.Service<Distributed.Silo.Lifecycle.IReadiness>().Check()).Ready);
    }

    [Fact]
    public async Task EveryCall_WithoutAKnownToken_IsUnauthenticated()
    {
        foreach (var token in new[] { null, "a token that nobody has", "" })
        {
            using var client = silo.Client(token);
            foreach (var (call, request) in Looks.Concat(Changes))
            {
                var status = await StatusOf(client, call, request);
                Assert.True(status.StatusCode == StatusCode.Unauthenticated, $"{call} with {token ?? "no token"}: {status}");
                Assert.Contains("token", status.Detail, StringComparison.Ordinal);
            }
        }
    }

    [Theory]
    [InlineData(OneSilo.Eve, false)]
    [InlineData(OneSilo.Ann, true)]
    [InlineData(OneSilo.Admin, true)]
    public async Task EveryCall_ByRole_IsLetInOrNamesWhatLacks(string token, bool mayChange)
    {
        using var client = silo.Client(token);
        foreach (var (call, request) in Looks)
        {
            var status = await StatusOf(client, call, request);
            Assert.False(status.StatusCode is StatusCode.PermissionDenied or StatusCode.Unauthenticated, $"{call}: {status}");
        }

        foreach (var (call, request) in Changes)
        {
            var status = await StatusOf(client, call, request);
            Assert.True(status.StatusCode == StatusCode.PermissionDenied != mayChange, $"{call}: {status}");
            if (!mayChange)
                Assert.Equal(
                    $"{call} needs the role submit, and user eve has the role view; ask the cluster's operator for it.", status.Detail);
        }
    }

    [Fact]
    public async Task Change_JobOfAnother_IsForItsOwnerAndAdmins()
    {
        using var ann = silo.Client(OneSilo.Ann);
        using var bob = silo.Client(OneSilo.Bob);
        using var admin = silo.Client(OneSilo.Admin);
        await ann.Ask<SubmitReply>("Submit", Submission("anns"));
        Assert.Equal("ann", (await bob.Ask<JobStatus>("Get", new GetRequest { Id = "anns" })).User);
        foreach (var (call, request) in new (string, IMessage)[]
        {
            ("Stop", new StopRequest { Id = "anns" }), ("Resume", new ResumeRequest { Id = "anns" }),
            ("Scale", new ScaleRequest { Id = "anns", Workers = 2 }), ("Delete", new DeleteRequest { Id = "anns" }),
        })
        {
            var status = await StatusOf(bob, call, request);
            Assert.Equal(StatusCode.PermissionDenied, status.StatusCode);
            Assert.Contains(
                "Job anns belongs to user ann, and user bob may change only their own jobs", status.Detail, StringComparison.Ordinal);
        }

        Assert.Equal(StatusCode.AlreadyExists, (await StatusOf(bob, "Submit", Submission("anns"))).StatusCode);
        Assert.Equal(Status.DefaultSuccess, await StatusOf(ann, "Stop", new StopRequest { Id = "anns" }));
        Assert.Equal(Status.DefaultSuccess, await StatusOf(admin, "Stop", new StopRequest { Id = "anns" }));
    }

    /// <summary>What was checked may have changed hands before it is acted on: the owner counts in the moment of the act.</summary>
    [Fact]
    public async Task Delete_OfAnIdThatAnotherHasTakenSince_TouchesNothing()
    {
        var job = silo.Service<IGrainFactory>().GetGrain<IJobGrain>("handed-over");
        var (bobs, anns) = (new JobCaller("bob", false), new JobCaller("ann", false));
        JobSubmission submission = new(Submission("handed-over").SpecJson, new Grains.Contracts.RunOptions { Requeue = true }, "bob");
        using var holder = silo.Client(OneSilo.Admin);
        await holder.Ask<SubmitReply>("Submit", Submission("holds-the-slots"));
        Assert.Equal(SubmitResult.Created, (await job.Submit(submission)).Result);
        await job.Stop(checkpoint: false, bobs);
        await Eventually.Is(() => job.Delete(bobs), change => change!.Refusal is null);
        Assert.Equal(SubmitResult.Created, (await job.Submit(submission with { User = "ann" })).Result);
        foreach (var late in (Func<Task<JobChange?>>[])[() => job.Delete(bobs), () => job.Stop(false, bobs), () => job.Resume(bobs),
            () => job.Scale(2, bobs)])
        {
            var change = await late();
            Assert.True(change!.IsDenied);
            Assert.Equal(
                "Job handed-over belongs to user ann, and user bob may change only their own jobs; ask an admin.", change.Refusal);
        }

        Assert.False((await job.Stop(false, anns))!.IsDenied);
        await holder.Ask<JobStatus>("Stop", new StopRequest { Id = "holds-the-slots" });
    }

    [Theory]
    [InlineData(OneSilo.Ann, 5, StatusCode.OK, "")]
    [InlineData(OneSilo.Ann, 6, StatusCode.InvalidArgument, "priority: found 6, and user ann may ask for 5 at most")]
    [InlineData(OneSilo.Bob, 1, StatusCode.InvalidArgument, "priority: found 1, and user bob may ask for 0 at most")]
    [InlineData(OneSilo.Bob, -1000, StatusCode.OK, "")]
    [InlineData(OneSilo.Admin, 1000, StatusCode.OK, "")]
    [InlineData(OneSilo.Admin, 1001, StatusCode.InvalidArgument, "priority: found 1001, expected -1000 to 1000")]
    [InlineData(OneSilo.Admin, -1001, StatusCode.InvalidArgument, "priority: found -1001, expected -1000 to 1000")]
    public async Task Submit_Priority_IsHeldToTheUsers(string token, int priority, StatusCode expected, string words)
    {
        using var client = silo.Client(token);
        var id = $"priority-{priority + 2000}";
        var status = await StatusOf(client, "Submit", Submission(id, priority));
        Assert.Equal(expected, status.StatusCode);
        Assert.Contains(words, status.Detail, StringComparison.Ordinal);
        if (expected != StatusCode.OK) return;
        Assert.Equal(priority, (await client.Ask<JobStatus>("Get", new GetRequest { Id = id })).Priority);
        await client.Ask<JobStatus>("Stop", new StopRequest { Id = id });
    }

    internal static SubmitRequest Submission(string id, int priority = 0, long steps = 1_000_000) => new()
    {
        Id = id,
        SpecJson = JobSpecJson.Write(Specs.Job(steps: steps) with
        {
            Model = ModelSpec.Of(new MlpOptions { Sizes = new([3072, 4, 10]) }),
            Data = DataSpec.Of(new ShapesOptions { Samples = 64 }),
        }),
        Options = new Distributed.Protocol.V1.RunOptions { Priority = priority, Ranks = 1 },
    };

    private static Task<Status> StatusOf(GatewayClient client, string call, IMessage request) => OneSilo.StatusOf(async () =>
    {
        if (call is not ("Watch" or "Logs"))
        {
            // Whatever the answer, it is not looked at.
            await client.Ask<DeleteReply>(call, request);
            return;
        }

        using var stream = client.Open<JobEvent>(call, request);
        while (await stream.ResponseStream.MoveNext(CancellationToken.None))
        {
        }
    });
}
