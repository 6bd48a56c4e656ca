using System.CommandLine;
using Distributed.Client.Cluster;
using Distributed.Client.Outcomes;
using Distributed.Client.Rendering;
using Distributed.Protocol.V1;

namespace Distributed.Client.Commands;

internal static class StopCommand
{
    public static Command Create()
    {
        var id = JobArguments.Id();
        Option<bool> wait = new("--wait") { Description = "Return when the job has ended; Ctrl-C ends the waiting only." };
        var json = JobArguments.Json("One JSON object.");
        ClusterAccess access = new();
        Verb verb = new(
            "stop", "Ends a job after the step in flight, with a checkpoint.", "dtrain stop nightly-7",
            "dtrain stop nightly-7 --wait")
        {
            id,
            wait,
            json,
        };
        access.AddTo(verb);
        verb.SetAction(parse => access.RunAsync(parse, async jobs =>
        {
            var (output, error) = (parse.InvocationConfiguration.Output, parse.InvocationConfiguration.Error);
            var status = await jobs.StopAsync(
                new StopRequest { Id = parse.GetRequiredValue(id).ToString(), Checkpoint = true },
                JobsConnection.Within(TimeProvider.System, CancellationToken.None));
            if (parse.GetValue(wait)) (status, _) = await JobEnd.WaitAsync(jobs, status, error, TimeProvider.System);
            if (parse.GetValue(json)) await output.WriteLineAsync(JobStatusView.Json(status));
            else JobStatusView.WriteTable(output, [status]);
            return parse.GetValue(wait) && status.State == "failed" ? ExitCode.Failed : ExitCode.Done;
        }));
        return verb;
    }
}
