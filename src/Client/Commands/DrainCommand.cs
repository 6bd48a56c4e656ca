using System.CommandLine;
using Distributed.Client.Cluster;
using Distributed.Client.Outcomes;
using Distributed.Client.Rendering;
using Distributed.Protocol.V1;

namespace Distributed.Client.Commands;

internal static class DrainCommand
{
    public static Command Create()
    {
        Argument<string> silo = new("SILO") { Description = "The silo's name, as 'dtrain cluster' shows it." };
        Option<bool> undo = new("--undo") { Description = "The silo takes jobs again." };
        var json = JobArguments.Json("The cluster as one JSON object.");
        ClusterAccess access = new();
        Verb verb = new(
            "drain",
            "Makes a silo move its jobs away and take no new ones, without ending it; needs the role admin. "
            + "Its running jobs write a checkpoint and continue elsewhere. A silo that is started again takes jobs.",
            "dtrain drain silo-2",
            "dtrain drain silo-2 --undo")
        {
            silo, undo, json,
        };
        access.AddTo(verb);
        verb.SetAction(parse => access.RunAsync(parse, async jobs =>
        {
            DrainRequest request = new() { Silo = parse.GetRequiredValue(silo), Undo = parse.GetValue(undo) };
            var reply = await jobs.DrainAsync(request, JobsConnection.Within(TimeProvider.System, CancellationToken.None));
            var output = parse.InvocationConfiguration.Output;
            if (parse.GetValue(json)) await output.WriteLineAsync(ClusterTable.Json(reply));
            else ClusterTable.Write(output, reply);
            return ExitCode.Done;
        }));
        return verb;
    }
}
