using Distributed.Client.Cluster;
using Distributed.Core.Jobs;
using Distributed.Protocol.V1;
using Grpc.Core;

namespace Distributed.Client.Tests.Cluster;

public sealed class JobEndTests
{
    private static readonly JobId Job = JobId.Parse("a");
    private static readonly RpcException StillEnding = Refused("still-ending");

    [Fact]
    public async Task Delete_RanksAreStillEnding_IsAskedForAgainUntilTheyHaveLeft()
    {
        Answers answers = new([StillEnding, StillEnding, null]);
        await JobEnd.DeleteAsync(new Jobs.JobsClient(answers), Job, new HurriedTime());
        Assert.Equal(3, answers.Asked);
    }

    [Fact]
    public async Task Delete_RefusedForGood_IsAskedForOnce()
    {
        Answers answers = new([Refused(null)]);
        await Assert.ThrowsAsync<RpcException>(() => JobEnd.DeleteAsync(new Jobs.JobsClient(answers), Job, new HurriedTime()));
        Assert.Equal(1, answers.Asked);
    }

    [Fact]
    public async Task Delete_RanksNeverLeave_IsGivenUp()
    {
        Answers answers = new([.. Enumerable.Repeat(StillEnding, 1000)]);
        var refused = await Assert.ThrowsAsync<RpcException>(
            () => JobEnd.DeleteAsync(new Jobs.JobsClient(answers), Job, new HurriedTime()));
        Assert.Equal("The job's ranks.", refused.Status.Detail);
        Assert.InRange(answers.Asked, 2, 1000);
    }

    private static RpcException Refused(string? word) => new(
        new Status(StatusCode.FailedPrecondition, "The job's ranks."), word is null ? [] : new Metadata { { "dtrain-error", word } });

    /// <param name="refusals">One for each call; null: it succeeds.</param>
    private sealed class Answers(RpcException?[] refusals) : CallInvoker
    {
        public int Asked { get; private set; }

        public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
        {
            var answer = refusals[Asked++] is { } refusal
                ? Task.FromException<TResponse>(refusal)
                : Task.FromResult((TResponse)(object)new DeleteReply());
            return new(answer, Task.FromResult(new Metadata()), () => Status.DefaultSuccess, () => [], () => { });
        }

        public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options) => throw new NotSupportedException();

        public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options) => throw new NotSupportedException();

        public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) => throw new NotSupportedException();

        public override TResponse BlockingUnaryCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) => throw new NotSupportedException();
    }
}
