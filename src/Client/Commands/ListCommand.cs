using System.CommandLine;
using Distributed.Client.Cluster;
using Distributed.Client.Rendering;
using Distributed.Protocol.V1;

namespace Distributed.Client.Commands;

internal static class ListCommand
{
    public static Command Create()
    {
        var json = JobArguments.Json("One JSON array.");
        ClusterAccess access = new();
        Verb verb = new("list", "Lists the jobs of a cluster.", "dtrain list --cluster http://127.0.0.1:5010") { json };
        access.AddTo(verb);
        verb.SetAction(parse => access.RunAsync(parse, async jobs =>
        {
            var reply = await jobs.ListAsync(new ListRequest(), JobsConnection.Within(TimeProvider.System, CancellationToken.None));
            var output = parse.InvocationConfiguration.Output;
            if (parse.GetValue(json)) await output.WriteLineAsync(JobStatusView.Json(reply.Jobs));
            else JobStatusView.WriteTable(output, reply.Jobs);
            return ExitCode.Done;
        }));
        return verb;
    }
}
