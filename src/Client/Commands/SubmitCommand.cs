using System.CommandLine;
using Distributed.Client.Cluster;
using Distributed.Client.Outcomes;
using Distributed.Core.Jobs;
using Distributed.Core.Spec;
using Distributed.Core.Users;
using Distributed.Protocol.V1;

namespace Distributed.Client.Commands;

internal static class SubmitCommand
{
    private const int MostRequestBytes = 1 << 20;

    public static Command Create()
    {
        var file = JobFileInput.FileArgument();
        var set = JobFileInput.SetOption();
        Option<JobId?> id = new("--id")
        {
            HelpName = "ID",
            Description = "The job's id; the same id twice is one job. Default: one made from its name.",
            CustomParser = result =>
            {
                if (result.Tokens[0].Value.Length > 0) return JobArguments.Parse(result, "--id");
                // A shell variable that is not set would make a new job each time.
                result.AddError("--id: found an empty id, expected a job's id; leave --id out to have one made.");
                return null;
            },
        };
        var priority = NumberOption.Whole(
            "--priority", "N", "Larger goes first; the operator limits what a user may ask for. Default: 0.",
            UserEntry.LeastPriority, UserEntry.MostPriority);
        Option<bool> wait = new("--wait") { Description = "Follow the job to its end; Ctrl-C detaches." };
        var json = JobArguments.Json("The id as one JSON object; with --wait, then one event per line.");
        ClusterAccess access = new();
        Verb verb = new(
            "submit",
            "Sends a job to a running cluster and prints its id. Relative data paths start at the cluster's data root.",
            "dtrain submit job.yaml --cluster https://trainer.example:8443 --token-file token",
            "dtrain submit job.yaml --id nightly-7 --set seed=7 --wait")
        {
            file, set, id, priority, wait, json,
        };
        access.AddTo(verb);
        verb.SetAction(parse =>
        {
            var spec = JobFileInput.ReadRemote(parse.GetRequiredValue(file), parse.GetValue(set) ?? []);
            var (output, error) = (parse.InvocationConfiguration.Output, parse.InvocationConfiguration.Error);
            return access.RunAsync(parse, async jobs =>
            {
                var named = parse.GetValue(id);
                var job = named ?? JobId.New(spec.Name);
                SubmitRequest request = new()
                {
                    Id = job.ToString(),
                    SpecJson = JobSpecJson.Write(spec),
                    Options = new RunOptions { Priority = parse.GetValue(priority) ?? 0 },
                };
                if (request.CalculateSize() > MostRequestBytes)
                    throw new CommandFailure(
                        ExitCode.Usage,
                        $"The job is {request.CalculateSize()} bytes with its defaults written out; "
                        + $"a cluster takes {MostRequestBytes} at most.");
                var reply = await Submission.SendAsync(jobs, request, error.WriteLine, TimeProvider.System);
                // Nobody else has an id that was made here: it is there because the first answer was lost.
                if (named is null) reply.Created = true;
                await output.WriteLineAsync(parse.GetValue(json) ? SubmittedJson(reply) : reply.Id);
                if (!reply.Created) await error.WriteLineAsync($"Job {reply.Id} was there already, with the same content.");
                return parse.GetValue(wait)
                    ? await new JobFollower(jobs, job, parse.GetValue(json), output, error, TimeProvider.System).FollowAsync()
                    : ExitCode.Done;
            });
        });
        return verb;
    }

    private static string SubmittedJson(SubmitReply reply) =>
        System.Text.Json.JsonSerializer.Serialize(new { id = reply.Id, created = reply.Created });
}
