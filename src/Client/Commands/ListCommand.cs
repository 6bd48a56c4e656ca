using System.CommandLine;
using Distributed.Client.Cluster;
using Distributed.Client.Outcomes;
using Distributed.Client.Rendering;
using Distributed.Protocol.V1;

namespace Distributed.Client.Commands;

internal static class ListCommand
{
    private const int DefaultLimit = 100;
    private static readonly string[] States = ["queued", "running", "completed", "stopped", "failed", "unknown"];

    public static Command Create()
    {
        Option<string[]> state =
            new("--state") { HelpName = "S", Description = $"Only jobs in this state: {string.Join(", ", States)}. May be repeated." };
        state.AcceptOnlyFromAmong(States);
        Option<string?> user = new("--user") { HelpName = "U", Description = "Only jobs of this user." };
        var limit = NumberOption.Whole("--limit", "N", $"At most the N newest. Default: {DefaultLimit}.", least: 1);
        Option<bool> all = new("--all") { Description = "All jobs, however many." };
        var json = JobArguments.Json("One JSON array.");
        ClusterAccess access = new();
        Verb verb = new(
            "list",
            "Lists the newest jobs of a cluster, in the order in which they were submitted.",
            "dtrain list --cluster http://127.0.0.1:5010",
            "dtrain list --state running --state queued --user ann",
            "dtrain list --all --json")
        {
            state, user, limit, all, json,
        };
        verb.Validators.Add(result =>
        {
            if (result.GetValue(all) && result.GetValue(limit) is not null) result.AddError("--all and --limit exclude each other.");
        });
        access.AddTo(verb);
        verb.SetAction(parse => access.RunAsync(parse, async jobs =>
        {
            ListRequest request = new() { User = parse.GetValue(user) ?? "", States = { parse.GetValue(state) ?? [] } };
            var (newest, more) = await JobListing.ReadAsync(
                jobs, request, parse.GetValue(all) ? null : parse.GetValue(limit) ?? DefaultLimit, TimeProvider.System);
            var (output, error) = (parse.InvocationConfiguration.Output, parse.InvocationConfiguration.Error);
            if (parse.GetValue(json)) await output.WriteLineAsync(JobStatusView.Json(newest));
            else JobStatusView.WriteTable(output, newest, TextTable.TerminalWidth());
            if (more)
                await error.WriteLineAsync($"These are the {newest.Count} newest; there are more: --all shows all, --limit N more.");
            return ExitCode.Done;
        }));
        return verb;
    }
}
