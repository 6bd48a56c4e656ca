using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;

namespace Distributed.Silo.Tests.Gateway;

/// <summary>Calls of one user, over connections of its own.</summary>
internal sealed class GatewayClient : IDisposable
{
    private readonly GrpcChannel channel;
    private readonly Metadata headers = [];

    /// <param name="token">Null: none comes along.</param>
    public GatewayClient(string address, string? token)
    {
        channel = GrpcChannel.ForAddress(
            address,
            new GrpcChannelOptions { HttpHandler = new SocketsHttpHandler(), DisposeHttpClient = true, MaxSendMessageSize = null });
        if (token is not null) headers.Add("authorization", $"Bearer {token}");
    }

    public CallInvoker Invoker => channel.CreateCallInvoker();

    public CallOptions Options => new(headers);

    public async Task<TReply> Ask<TReply>(string call, IMessage request)
        where TReply : class, IMessage<TReply>, new()
    {
        using var asked = Invoker.AsyncUnaryCall(Method<TReply>(MethodType.Unary, call), null, Options, request);
        return await asked;
    }

    public AsyncServerStreamingCall<TReply> Open<TReply>(string call, IMessage request, CancellationToken cancel = default)
        where TReply : class, IMessage<TReply>, new() =>
        Invoker.AsyncServerStreamingCall(
            Method<TReply>(MethodType.ServerStreaming, call), null, Options.WithCancellationToken(cancel), request);

    public void Dispose() => channel.Dispose();

    private static Method<IMessage, TReply> Method<TReply>(MethodType type, string call)
        where TReply : class, IMessage<TReply>, new() => new(
            type, "dtrain.v1.Jobs", call,
            Marshallers.Create<IMessage>(message => message.ToByteArray(), _ => throw new NotSupportedException()),
            Marshallers.Create(_ => throw new NotSupportedException(), bytes =>
            {
                TReply reply = new();
                reply.MergeFrom(bytes);
                return reply;
            }));
}
