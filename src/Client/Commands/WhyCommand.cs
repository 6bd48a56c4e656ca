using System.CommandLine;
using Distributed.Client.Cluster;
using Distributed.Client.Outcomes;
using Distributed.Client.Rendering;
using Distributed.Protocol.V1;

namespace Distributed.Client.Commands;

internal static class WhyCommand
{
    public static Command Create()
    {
        var id = JobArguments.Id();
        var json = JobArguments.Json("One JSON object.");
        ClusterAccess access = new();
        Verb verb = new(
            "why", "Says why a job waits, is slow, skips steps or failed, and what to do about it.", "dtrain why nightly-7",
            "dtrain why nightly-7 --json")
        {
            id,
            json,
        };
        access.AddTo(verb);
        verb.SetAction(parse => access.RunAsync(parse, async jobs =>
        {
            var reply = await jobs.WhyAsync(
                new WhyRequest { Id = parse.GetRequiredValue(id).ToString() },
                JobsConnection.Within(TimeProvider.System, CancellationToken.None));
            var output = parse.InvocationConfiguration.Output;
            if (parse.GetValue(json)) await output.WriteLineAsync(WhyView.Json(reply));
            else WhyView.Write(output, reply);
            return ExitCode.Done;
        }));
        return verb;
    }
}
