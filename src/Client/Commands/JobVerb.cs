using System.CommandLine;
using Distributed.Client.Cluster;
using Distributed.Client.Outcomes;
using Distributed.Client.Rendering;
using Distributed.Core.Jobs;
using Distributed.Protocol.V1;
using Grpc.Core;

namespace Distributed.Client.Commands;

/// <summary>Makes the verbs that ask something of one job and show its state after it.</summary>
internal static class JobVerb
{
    public static Verb Create(
        string name, string description, IReadOnlyList<string> examples,
        Func<Jobs.JobsClient, JobId, ParseResult, CallOptions, AsyncUnaryCall<JobStatus>> ask, params ReadOnlySpan<Option> options)
    {
        var id = JobArguments.Id();
        var json = JobArguments.Json("One JSON object.");
        ClusterAccess access = new();
        Verb verb = new(name, description, [.. examples]) { id };
        foreach (var option in options) verb.Add(option);
        verb.Add(json);
        access.AddTo(verb);
        verb.SetAction(parse => access.RunAsync(parse, async jobs =>
        {
            var status = await ask(
                jobs, parse.GetRequiredValue(id), parse, JobsConnection.Within(TimeProvider.System, CancellationToken.None));
            var output = parse.InvocationConfiguration.Output;
            if (parse.GetValue(json)) await output.WriteLineAsync(JobStatusView.Json(status));
            else JobStatusView.WriteTable(output, [status], TextTable.TerminalWidth());
            return ExitCode.Done;
        }));
        return verb;
    }
}
