using System.Security.Cryptography;
using System.Text;
using Distributed.Silo.Serve;
using Grpc.Core;
using Grpc.Core.Interceptors;

namespace Distributed.Silo.Jobs;

/// <summary>Lets in only calls with metadata <c>authorization: Bearer TOKEN</c>.</summary>
internal sealed class TokenInterceptor(ServeSettings settings) : Interceptor
{
    private readonly byte[] expected = Digest("Bearer " + settings.Token);

    public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        Check(context);
        return continuation(request, context);
    }

    public override Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        Check(context);
        return continuation(request, responseStream, context);
    }

    private void Check(ServerCallContext context)
    {
        // Digests have one length, so the time of the comparison tells nothing.
        var presented = Digest(context.RequestHeaders.GetValue("authorization") ?? "");
        if (!CryptographicOperations.FixedTimeEquals(presented, expected))
            throw new RpcException(new Status(StatusCode.Unauthenticated, "No valid token: send metadata 'authorization: Bearer TOKEN' with the cluster's token."));
    }

    private static byte[] Digest(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));
}
