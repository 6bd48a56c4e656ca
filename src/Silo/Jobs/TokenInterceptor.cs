using Distributed.Core.Users;
using Grpc.Core;
using Grpc.Core.Interceptors;

namespace Distributed.Silo.Jobs;

/// <summary>Lets in only calls with metadata <c>authorization: Bearer TOKEN</c> of a user whose role suffices, whatever their shape.</summary>
internal sealed class TokenInterceptor(UserRegistry users) : Interceptor
{
    private const string Scheme = "Bearer ";
    private const string HowTo = "send metadata 'authorization: Bearer TOKEN'.";

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

    public override Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, ServerCallContext context, ClientStreamingServerMethod<TRequest, TResponse> continuation)
    {
        Check(context);
        return continuation(requestStream, context);
    }

    public override Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, DuplexStreamingServerMethod<TRequest, TResponse> continuation)
    {
        Check(context);
        return continuation(requestStream, responseStream, context);
    }

    private void Check(ServerCallContext context)
    {
        if (CallRights.Of(context.Method) is not { } needed) return;
        var presented = context.RequestHeaders.GetValue("authorization") ?? throw Refuse(StatusCode.Unauthenticated, $"No token came along: {HowTo}");
        if (!presented.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)) throw Refuse(StatusCode.Unauthenticated, $"The metadata 'authorization' holds no bearer token: {HowTo}");
        var caller = users.Find(presented[Scheme.Length..]) ?? throw Refuse(StatusCode.Unauthenticated, "No user has this token.");
        if (caller.Role < needed)
        {
            var call = context.Method[(context.Method.LastIndexOf('/') + 1)..];
            throw Refuse(StatusCode.PermissionDenied, $"{call} needs the role {needed.Word()}, and user {caller.Name} has the role {caller.Role.Word()}; ask the cluster's operator for it.");
        }

        caller.Enter(context);
    }

    private static RpcException Refuse(StatusCode code, string message) => new(new Status(code, message));
}
