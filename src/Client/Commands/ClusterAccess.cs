using System.CommandLine;
using Distributed.Client.Cluster;
using Distributed.Client.Files;
using Distributed.Client.Outcomes;
using Distributed.Protocol.V1;
using Grpc.Core;

namespace Distributed.Client.Commands;

/// <summary>The options that name a running cluster, and what its refusals mean for the exit code.</summary>
internal sealed class ClusterAccess
{
    public const string AddressVariable = "DTRAIN_CLUSTER";
    public const string TokenVariable = "DTRAIN_TOKEN_FILE";
    public const string AuthorityVariable = "DTRAIN_CA_FILE";
    private const int MostTokenCharacters = 4096;

    private readonly Option<string?> cluster = new("--cluster")
    {
        HelpName = "URL",
        Description = $"Address of the cluster; several with commas between: the first that can be reached. Default: {AddressVariable}.",
    };
    private readonly Option<string?> authorities = new("--ca")
    {
        HelpName = "FILE",
        Description = $"Authorities to trust at an https address, in PEM, in place of this machine's. Default: {AuthorityVariable}.",
    };
    private readonly Option<string?> tokenFile =
        new("--token-file") { HelpName = "F", Description = $"File that holds the access token. Default: {TokenVariable}." };

    public void AddTo(Verb command)
    {
        command.ExitCodes = "0 done; 1 the job failed, or its state does not allow it; 2 misuse, or refused as wrong or not allowed; "
            + "3 cluster not reached; 4 no such job; 141 nobody reads the output any more";
        command.Add(cluster);
        command.Add(tokenFile);
        command.Add(authorities);
    }

    public bool IsNamed(ParseResult parse) =>
        !string.IsNullOrEmpty(parse.GetValue(cluster) ?? Environment.GetEnvironmentVariable(AddressVariable));

    /// <summary>Runs calls against the cluster and turns its refusals into messages.</summary>
    public async Task<int> RunAsync(ParseResult parse, Func<Jobs.JobsClient, Task<int>> calls)
    {
        var addresses = Addresses(parse.GetValue(cluster) ?? Environment.GetEnvironmentVariable(AddressVariable));
        var file = parse.GetValue(tokenFile) ?? Environment.GetEnvironmentVariable(TokenVariable);
        if (Token(file) is not null
            && addresses.FirstOrDefault(address => address.Scheme != Uri.UriSchemeHttps && !address.IsLoopback) is { } open)
            throw new CommandFailure(
                ExitCode.Usage, $"The token would be sent unencrypted to {open}. Use https, or forward a port of this machine.");
        var trust = ServerTrust.Read(
            parse.GetValue(authorities) ?? Environment.GetEnvironmentVariable(AuthorityVariable), TimeProvider.System);
        using ClusterEndpoints endpoints = new(
            [.. addresses.Select(address => new JobsConnection(address, () => Token(file), JobsConnection.SilenceOf(addresses), trust))],
            TimeProvider.System);
        try
        {
            return await calls(endpoints.Jobs);
        }
        catch (RpcException refused)
        {
            throw await TlsRefusal.ExplainAsync(refused, endpoints.Address, trust) ?? Explain(refused, endpoints.Address);
        }
    }

    private static List<Uri> Addresses(string? text)
    {
        var named = (text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (named.Length == 0)
            throw new CommandFailure(
                ExitCode.Usage,
                $"No cluster named. Give --cluster URL or set {AddressVariable}; 'dtrain cluster up' starts one on this machine, "
                + "and 'dtrain train' needs none.");
        return [.. named.Select(Address)];
    }

    private static Uri Address(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme is "http" or "https"
            ? address
            : throw new CommandFailure(
                ExitCode.Usage, $"The cluster address '{text}' is not an http or https URL, such as http://127.0.0.1:5010.");

    private static string? Token(string? file)
    {
        if (string.IsNullOrEmpty(file)) return null;
        file = HomeFolder.Expand(file, "The token file");
        if (Directory.Exists(file))
            throw new CommandFailure(ExitCode.Usage, $"The token file '{file}' is a folder, expected the file that holds the token.");
        try
        {
            using StreamReader reader = new(file);
            var text = new char[MostTokenCharacters + 1];
            var token = new string(text, 0, reader.ReadBlock(text)).Trim();
            return token.Length is > 0 and <= MostTokenCharacters && token.All(c => c is >= ' ' and <= '~')
                ? token
                : throw new CommandFailure(
                    ExitCode.Usage, $"The token file '{file}' holds no token, expected one line of printable ASCII characters.");
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCode.Usage, $"The token file '{file}' cannot be read: {unreadable.Message}");
        }
    }

    /// <summary>The library's own words say only that it could not connect; the socket's say why.</summary>
    private static string Cause(RpcException refused) =>
        (refused.Status.DebugException?.GetBaseException().Message ?? refused.Status.Detail).TrimEnd('.');

    private static CommandFailure Unreachable(RpcException refused, Uri address) => new(
        ExitCode.Unreachable, $"The cluster {address} cannot be reached: {Cause(refused)}. Check --cluster, and that the cluster is up.");

    private static CommandFailure Explain(RpcException refused, Uri address) => refused.StatusCode switch
    {
        StatusCode.NotFound => new(ExitCode.NoSuchJob, $"{refused.Status.Detail} 'dtrain list' shows the jobs of {address}."),
        StatusCode.DeadlineExceeded => new(
            ExitCode.Unreachable,
            $"The cluster {address} did not answer within {JobsConnection.CallDeadline.TotalSeconds:0} s. Check that its silos run; "
            + "'dtrain cluster' shows them."),
        StatusCode.Unavailable when refused.Status.DebugException is null => new(
            ExitCode.Unreachable,
            $"The cluster {address} was reached, but none of its silos that were tried could answer: {refused.Status.Detail}"),
        StatusCode.Unavailable => Unreachable(refused, address),
        StatusCode.Internal when refused.Status.DebugException is HttpRequestException => Unreachable(refused, address),
        StatusCode.Unauthenticated => new(
            ExitCode.Usage, $"The cluster {address} refused the token: {refused.Status.Detail} Check --token-file or {TokenVariable}."),
        StatusCode.PermissionDenied => new(ExitCode.Usage, $"The cluster {address} does not allow it: {refused.Status.Detail}"),
        StatusCode.InvalidArgument or StatusCode.AlreadyExists => new(ExitCode.Usage, refused.Status.Detail),
        StatusCode.ResourceExhausted when refused.Trailers.GetValue(JobsConnection.CodeTrailer) is { } code =>
            new(ExitCode.Failed, $"[{code}] {refused.Status.Detail}"),
        StatusCode.FailedPrecondition => new(ExitCode.Failed, refused.Status.Detail),
        _ => new(ExitCode.Failed, $"The cluster {address} answered {refused.StatusCode}: {refused.Status.Detail}"),
    };
}
