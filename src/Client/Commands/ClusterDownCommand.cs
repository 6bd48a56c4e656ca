using System.CommandLine;
using Distributed.Client.LocalCluster;
using Distributed.Client.Outcomes;

namespace Distributed.Client.Commands;

internal static class ClusterDownCommand
{
    public static Command Create()
    {
        var folder = ClusterUpCommand.Folder();
        var json = JobArguments.Json("One JSON object.");
        Verb verb = new(
            "down",
            "Ends the silos that 'dtrain cluster up' started, and no other process: their running jobs write a checkpoint first. "
            + "Jobs, data and token stay for the next 'up'.",
            "dtrain cluster down")
        {
            folder, json,
        };
        verb.ExitCodes = "0 none of the silos runs any more; 1 one could not be ended; 130 interrupted";
        verb.SetAction(async parse =>
        {
            var output = parse.InvocationConfiguration.Output;
            var place = ClusterFolder.Find(parse.GetValue(folder), Environment.GetEnvironmentVariable);
            var ended = await new ClusterDown(place, parse.InvocationConfiguration.Error, TimeProvider.System).RunAsync();
            if (parse.GetValue(json)) await output.WriteLineAsync(LocalClusterView.Json(place, ended));
            else LocalClusterView.Write(place, ended, output);
            return ExitCode.Done;
        });
        return verb;
    }
}
