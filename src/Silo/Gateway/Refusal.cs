using Grpc.Core;

namespace Distributed.Silo.Gateway;

/// <summary>A call that is refused: a status with one message, and beside it a word for programs.</summary>
internal static class Refusal
{
    /// <summary>Metadata behind a failed call: one of the error codes of jobs, such as <c>storage</c>, where there is one.</summary>
    public const string CodeTrailer = "dtrain-error";

    /// <summary>A message travels in the headers, which hold so much and no more.</summary>
    private const int MostCharacters = 4000;

    public static RpcException Of(StatusCode status, string message, string? code = null) =>
        new(new Status(status, Bound(message)), code is null ? [] : new Metadata { { CodeTrailer, code } });

    public static string Bound(string message) => message.Length <= MostCharacters ? message : $"{message[..MostCharacters]} ...";
}
