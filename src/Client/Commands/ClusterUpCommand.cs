using System.CommandLine;
using Distributed.Client.LocalCluster;
using Distributed.Client.Outcomes;
using Distributed.Client.Silo;

namespace Distributed.Client.Commands;

internal static class ClusterUpCommand
{
    private const int MostSilos = 64;
    private const int MostSlots = 4096;

    public static Option<string?> Folder() => new("--dir")
    {
        HelpName = "D",
        Description = "The cluster's folder. Default: dtrain/cluster in XDG_STATE_HOME or ~/.local/state, the same for all terminals.",
    };

    public static Command Create()
    {
        var silos = NumberOption.Whole("--silos", "N", "Silo processes. Default: as the last time, at first 1.", 1, MostSilos);
        var slots = NumberOption.Whole(
            "--slots", "S",
            "Ranks that each silo runs without sharing a core. Default: as the last time, at first an even share of the cores.", 1,
            MostSlots);
        var folder = Folder();
        var json = JobArguments.Json("One JSON object in place of the lines for the shell.");
        Verb verb = new(
            "up",
            "Starts a cluster on this machine and prints the lines that name it to a shell. Its silos keep running after this command, "
            + "reachable from this machine only; those that run already are left alone.",
            "eval \"$(dtrain cluster up --silos 3)\"",
            "dtrain cluster up --silos 2 --slots 4 --dir ~/trial --json")
        {
            silos, slots, folder, json,
        };
        verb.ExitCodes = "0 all silos are ready; 1 one could not be started: the message names its log, "
            + "and none of those just started is left; 2 misuse";
        verb.SetAction(async parse =>
        {
            var (output, error) = (parse.InvocationConfiguration.Output, parse.InvocationConfiguration.Error);
            var place = ClusterFolder.Find(parse.GetValue(folder), Environment.GetEnvironmentVariable);
            var cluster = await new ClusterUp(place, SiloLocator.Find(), error, TimeProvider.System)
                .RunAsync(parse.GetValue(silos), parse.GetValue(slots));
            if (parse.GetValue(json)) await output.WriteLineAsync(LocalClusterView.Json(cluster));
            else LocalClusterView.Write(cluster, output, error, isRead: Console.IsOutputRedirected, named: parse.GetValue(folder));
            return ExitCode.Done;
        });
        return verb;
    }
}
