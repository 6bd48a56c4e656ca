using System.CommandLine;
using Distributed.Client.Cluster;
using Distributed.Client.Rendering;
using Distributed.Protocol.V1;

namespace Distributed.Client.Commands;

internal static class StatusCommand
{
    public static Command Create()
    {
        var id = JobArguments.Id();
        var json = JobArguments.Json("One JSON object.");
        ClusterAccess access = new();
        Verb verb = new("status", "Shows the state of one job.", "dtrain status nightly-7 --json") { id, json };
        access.AddTo(verb);
        verb.SetAction(parse => access.RunAsync(parse, async jobs =>
        {
            var status = await jobs.GetAsync(
                new GetRequest { Id = parse.GetRequiredValue(id) }, JobsConnection.Within(TimeProvider.System, CancellationToken.None));
            var output = parse.InvocationConfiguration.Output;
            if (parse.GetValue(json)) await output.WriteLineAsync(JobStatusView.Json(status));
            else JobStatusView.WriteTable(output, [status]);
            return ExitCode.Done;
        }));
        return verb;
    }
}
