using System.CommandLine;
using System.Text.Json;
using Distributed.Client.Cluster;
using Distributed.Client.Outcomes;
using Distributed.Protocol.V1;

namespace Distributed.Client.Commands;

internal static class DeleteCommand
{
    public static Command Create()
    {
        var id = JobArguments.Id();
        Option<bool> stop =
            new("--stop") { Description = "Stop the job first when it waits or runs, and wait for its end; nothing of it is saved." };
        var json = JobArguments.Json("One JSON object.");
        ClusterAccess access = new();
        Verb verb = new(
            "delete",
            "Deletes a job that is not running, with its events and its own files, including checkpoints. This cannot be undone.",
            "dtrain delete nightly-7",
            "dtrain delete nightly-7 --stop")
        {
            id, stop, json,
        };
        access.AddTo(verb);
        verb.SetAction(parse => access.RunAsync(parse, async jobs =>
        {
            var job = parse.GetRequiredValue(id);
            if (parse.GetValue(stop))
            {
                if (!await JobEnd.StopAsync(jobs, job, parse.InvocationConfiguration.Error, TimeProvider.System))
                    throw new CommandFailure(
                        ExitCode.Interrupted, $"Job {job} is stopped but not deleted; 'dtrain delete {job}' deletes it once it has ended.");
                await JobEnd.DeleteAsync(jobs, job, TimeProvider.System);
            }
            else
            {
                DeleteRequest request = new() { Id = job.ToString() };
                await jobs.DeleteAsync(request, JobsConnection.Within(TimeProvider.System, CancellationToken.None));
            }

            await parse.InvocationConfiguration.Output.WriteLineAsync(
                parse.GetValue(json) ? JsonSerializer.Serialize(new { id = job.ToString(), deleted = true }) : $"Job {job} is deleted.");
            return ExitCode.Done;
        }));
        return verb;
    }
}
