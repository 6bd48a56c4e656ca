using Distributed.Core;
using Distributed.Silo.Serve;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Orleans.Runtime;

namespace Distributed.Silo.Jobs;

/// <summary>The edge: turns whatever a call ran into into one status with a message.</summary>
internal sealed partial class ErrorInterceptor(ILogger<ErrorInterceptor> logger) : Interceptor
{
    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            return await continuation(request, context);
        }
        catch (Exception e) when (e is not RpcException)
        {
            throw Translate(e, context);
        }
    }

    public override async Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            await continuation(request, responseStream, context);
        }
        catch (Exception e) when (e is not RpcException)
        {
            throw Translate(e, context);
        }
    }

    private RpcException Translate(Exception e, ServerCallContext context)
    {
        switch (e)
        {
            case JobException job: return Status(StatusOf(job.Code), job.Message);
            case OperationCanceledException when context.CancellationToken.IsCancellationRequested:
                return Status(StatusCode.Cancelled, "The call was cancelled.");
            case OperationCanceledException: return Status(StatusCode.Unavailable, "The silo is leaving; ask again at another one.");
            case OrleansException or TimeoutException:
                LogUnavailable(e, context.Method);
                return Status(StatusCode.Unavailable, $"The cluster did not answer: {e.FirstLine()}");
            default:
                LogUnforeseen(e, context.Method);
                return Status(StatusCode.Internal, $"{e.GetType().Name}: {e.Message} The silo's log has the rest.");
        }
    }

    private static StatusCode StatusOf(string code) => code switch
    {
        ErrorCodes.SpecInvalid or ErrorCodes.PathMissing => StatusCode.InvalidArgument,
        ErrorCodes.Storage => StatusCode.ResourceExhausted,
        _ => StatusCode.FailedPrecondition,
    };

    private static RpcException Status(StatusCode code, string message) => new(new Status(code, message));

    [LoggerMessage(4001, LogLevel.Warning, "{Method}: the grains did not answer; when this lasts, restart the silo.")]
    private partial void LogUnavailable(Exception error, string method);

    [LoggerMessage(4002, LogLevel.Error, "{Method}: an error that no code foresaw; please report it.")]
    private partial void LogUnforeseen(Exception error, string method);
}
