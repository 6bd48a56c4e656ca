using Distributed.Client.Cluster;
using Distributed.Client.Outcomes;
using Distributed.Protocol.V1;
using Grpc.Core;

namespace Distributed.Client.Tests.Cluster;

public sealed class SubmissionTests
{
    private readonly List<string> said = [];
    private readonly List<SubmitRequest> sent = [];

    [Fact]
    public async Task Send_AnswerLost_AsksUnderTheSameId()
    {
        var reply = await SendAsync(Lost(StatusCode.DeadlineExceeded), Task.FromResult(new SubmitReply { Id = "a", Created = false }));
        Assert.Equal("a", reply.Id);
        Assert.Equal(["a", "a"], sent.Select(request => request.Id));
        Assert.Equal(["The answer to the submission was lost; asking about job a."], said);
    }

    [Theory]
    [InlineData(StatusCode.InvalidArgument)]
    [InlineData(StatusCode.AlreadyExists)]
    [InlineData(StatusCode.PermissionDenied)]
    public async Task Send_Refused_IsNotSentAgain(StatusCode refusal)
    {
        Assert.Equal(refusal, (await Assert.ThrowsAsync<RpcException>(() => SendAsync(Lost(refusal)))).StatusCode);
        Assert.Single(sent);
    }

    [Fact]
    public async Task Send_NeverAnswered_SaysHowToFindOut()
    {
        var failure = await Assert.ThrowsAsync<CommandFailure>(() => SendAsync(Lost(StatusCode.Unavailable), Lost(StatusCode.Unavailable)));
        Assert.Equal(ExitCode.Unreachable, failure.ExitCode);
        Assert.Contains("--id a, which never creates a second job", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Send_StoreSilent_IsAFailureWithTheStoresWords()
    {
        var failure = await Assert.ThrowsAsync<CommandFailure>(() => SendAsync(Lost(StatusCode.ResourceExhausted, "storage")));
        Assert.Equal(ExitCode.Failed, failure.ExitCode);
        Assert.StartsWith(
            "[storage] Redis does not answer. It is not known whether job a was accepted.", failure.Message, StringComparison.Ordinal);
        Assert.Empty(said);
    }

    private static Task<SubmitReply> Lost(StatusCode code, string? word = null) => Task.FromException<SubmitReply>(
        new RpcException(new Status(code, "Redis does not answer."), word is null ? [] : new Metadata { { "dtrain-error", word } }));

    private Task<SubmitReply> SendAsync(params Task<SubmitReply>[] answers) => Submission.SendAsync(
        new Jobs.JobsClient(new Answers(sent, answers)), new SubmitRequest { Id = "a" }, said.Add, TimeProvider.System);

    private sealed class Answers(List<SubmitRequest> sent, Task<SubmitReply>[] answers) : CallInvoker
    {
        public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
        {
            sent.Add((SubmitRequest)(object)request);
            return new(
                (Task<TResponse>)(object)answers[sent.Count - 1], Task.FromResult(new Metadata()), () => Status.DefaultSuccess, () => [],
                () => { });
        }

        public override TResponse BlockingUnaryCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) => throw new NotSupportedException();

        public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) => throw new NotSupportedException();

        public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options) => throw new NotSupportedException();

        public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options) => throw new NotSupportedException();
    }
}
