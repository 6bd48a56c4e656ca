using Distributed.Core.Jobs;
using Distributed.Grains.Contracts;
using Distributed.Silo.Failures;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Orleans.Runtime;

namespace Distributed.Silo.Gateway;

/// <summary>The edge: turns whatever a call ran into into one status with a message.</summary>
internal sealed partial class ErrorInterceptor(CallLog log, ILogger<ErrorInterceptor> logger) : Interceptor
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
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context,
        ServerStreamingServerMethod<TRequest, TResponse> continuation)
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
            case JobException job: return Refusal.Of(StatusOf(job.Code), job.Message, job.Code);
            // A stream that its client has left refuses the next line.
            case OperationCanceledException or InvalidOperationException when context.CancellationToken.IsCancellationRequested:
                return Refusal.Of(StatusCode.Cancelled, "The call was cancelled.");
            case var _ when StorageWords(e) is { } words:
                if (log.May()) LogStorage(e, context.Method);
                return Refusal.Of(StatusCode.ResourceExhausted, words, ErrorCodes.Storage);
            case OperationCanceledException: return Refusal.Of(StatusCode.Unavailable, "The silo is leaving; ask again at another one.");
            case OrleansException or TimeoutException:
                if (log.May()) LogUnavailable(e, context.Method);
                return Refusal.Of(
                    StatusCode.Unavailable,
                    "The cluster did not answer in time: a silo may just have been lost, or be starting. "
                    + "See the log of the silo that took the call.");
            default:
                if (log.May()) LogUnforeseen(e, context.Method);
                return Refusal.Of(StatusCode.Internal, $"{e.GetType().Name}: {e.Message} See the silo's log.");
        }
    }

    /// <returns>Null: the store is not to blame.</returns>
    private static string? StorageWords(Exception e)
    {
        for (var cause = e; cause is not null; cause = cause.InnerException)
        {
            switch (cause)
            {
                case StorageException: return cause.Message;
                case JobException { Code: ErrorCodes.Storage }: return cause.Message;
                case IOException or UnauthorizedAccessException:
                    return $"The jobs' files could not be read or written: {cause.FirstLine().TrimEnd('.')}. "
                        + "Check free space, rights and the mount of the jobs root.";
            }
        }

        return null;
    }

    private static StatusCode StatusOf(string code) => code switch
    {
        ErrorCodes.SpecInvalid or ErrorCodes.PathMissing => StatusCode.InvalidArgument,
        ErrorCodes.Storage => StatusCode.ResourceExhausted,
        _ => StatusCode.FailedPrecondition,
    };

    [LoggerMessage(4001, LogLevel.Warning, "{Method}: the grains did not answer; if this lasts, restart the silo.")]
    private partial void LogUnavailable(Exception error, string method);

    [LoggerMessage(4004, LogLevel.Warning, "{Method}: what has to be stored could not be read or written; the client was told so.")]
    private partial void LogStorage(Exception error, string method);

    [LoggerMessage(4002, LogLevel.Error, "{Method}: an unexpected error; please report it.")]
    private partial void LogUnforeseen(Exception error, string method);
}
