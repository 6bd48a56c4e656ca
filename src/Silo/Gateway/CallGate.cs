using System.Globalization;
using Distributed.Core.Users;
using Grpc.Core;

namespace Distributed.Silo.Gateway;

/// <summary>
/// Lets in only calls with metadata <c>authorization: Bearer TOKEN</c> of a user whose role suffices, before anything else of them is read.
/// </summary>
internal sealed class CallGate(UserRegistry users)
{
    private const string Scheme = "Bearer ";
    private const string HowTo = "send metadata 'authorization: Bearer TOKEN'.";

    /// <summary>As a stage of the endpoint; what is no gRPC call (probes) passes, and reaches no service.</summary>
    public Task Check(HttpContext context, RequestDelegate next)
    {
        if (context.Request.ContentType?.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase) != true) return next(context);
        return Fault(context) is { } fault ? Refuse(context.Response, fault) : Serve(context, next);
    }

    /// <remarks>
    /// What a call runs into <see cref="ErrorInterceptor"/> words; a message that cannot be read never gets there, and gRPC knows no better
    /// word than "unknown".
    /// </remarks>
    private static async Task Serve(HttpContext context, RequestDelegate next)
    {
        await next(context);
        // An answer without a message has its status in the headers, which are not sent yet.
        if (context.Response.HasStarted || context.Response.Headers["grpc-status"] != Code(StatusCode.Unknown)) return;
        context.Response.Headers["grpc-status"] = Code(StatusCode.InvalidArgument);
        context.Response.Headers["grpc-message"] = Uri.EscapeDataString("The message cannot be read as a request of this call.");
    }

    /// <returns>Null: the caller may, and is known from here on.</returns>
    private Status? Fault(HttpContext context)
    {
        var method = context.Request.Path.Value ?? "";
        if (CallRights.Of(method) is not { } needed) return null;
        string presented = context.Request.Headers.Authorization.ToString();
        if (presented.Length == 0) return new(StatusCode.Unauthenticated, $"No token was sent: {HowTo}");
        if (!presented.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
            return new(StatusCode.Unauthenticated, $"The metadata 'authorization' holds no bearer token: {HowTo}");
        if (users.Find(presented[Scheme.Length..]) is not { } caller) return new(StatusCode.Unauthenticated, "No user has this token.");
        if (caller.Role < needed)
        {
            var call = method[(method.LastIndexOf('/') + 1)..];
            return new(
                StatusCode.PermissionDenied,
                $"{call} needs the role {needed.Word()}, and user {caller.Name} has the role {caller.Role.Word()}; "
                + "ask the cluster's operator for it.");
        }

        caller.Enter(context);
        return null;
    }

    /// <remarks>A status without a message, as gRPC writes it: in the headers, the text percent-encoded.</remarks>
    private static Task Refuse(HttpResponse response, Status status)
    {
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = "application/grpc";
        response.Headers["grpc-status"] = Code(status.StatusCode);
        response.Headers["grpc-message"] = Uri.EscapeDataString(status.Detail);
        return Task.CompletedTask;
    }

    private static string Code(StatusCode code) => ((int)code).ToString(CultureInfo.InvariantCulture);
}
