using System.CommandLine;
using Distributed.Client.Cluster;
using Distributed.Client.Outcomes;
using Distributed.Client.Rendering;
using Distributed.Protocol.V1;

namespace Distributed.Client.Commands;

internal static class ClusterCommand
{
    public static Command Create()
    {
        var json = JobArguments.Json("One JSON object.");
        ClusterAccess access = new();
        Verb verb = new(
            "cluster", "Shows the silos of a cluster and what they do; starts and ends a cluster on this machine.",
            "dtrain cluster --cluster http://127.0.0.1:5010", "eval \"$(dtrain cluster up --silos 3)\"", "dtrain cluster down")
        {
            json, ClusterUpCommand.Create(), ClusterDownCommand.Create(),
        };
        access.AddTo(verb);
        verb.SetAction(parse => access.RunAsync(parse, async jobs =>
        {
            var reply = await jobs.ClusterAsync(new ClusterRequest(), JobsConnection.Within(TimeProvider.System, CancellationToken.None));
            var output = parse.InvocationConfiguration.Output;
            if (parse.GetValue(json)) await output.WriteLineAsync(ClusterTable.Json(reply));
            else ClusterTable.Write(output, reply);
            return ExitCode.Done;
        }));
        return verb;
    }
}
