using System.CommandLine;
using Distributed.Client.Cluster;
using Distributed.Client.Rendering;
using Distributed.Protocol.V1;

namespace Distributed.Client.Commands;

internal static class StopCommand
{
    public static Command Create()
    {
        var id = JobArguments.Id();
        var json = JobArguments.Json("One JSON object.");
        ClusterAccess access = new();
        Verb verb = new("stop", "Ends a job after the step in flight; its state is written first.", "dtrain stop nightly-7") { id, json };
        access.AddTo(verb);
        verb.SetAction(parse => access.RunAsync(parse, async jobs =>
        {
            var status = await jobs.StopAsync(
                new StopRequest { Id = parse.GetRequiredValue(id), Checkpoint = true }, JobsConnection.Within(TimeProvider.System, CancellationToken.None));
            var output = parse.InvocationConfiguration.Output;
            if (parse.GetValue(json)) await output.WriteLineAsync(JobStatusView.Json(status));
            else JobStatusView.WriteTable(output, [status]);
            return ExitCode.Done;
        }));
        return verb;
    }
}
