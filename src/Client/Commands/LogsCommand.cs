using System.CommandLine;
using Distributed.Client.Cluster;
using Distributed.Client.Rendering;
using Distributed.Client.Runs;
using Distributed.Protocol.V1;

namespace Distributed.Client.Commands;

internal static class LogsCommand
{
    public static Command Create()
    {
        var id = JobArguments.Id();
        Option<bool> follow = new("--follow", "-f") { Description = "Go on until the job has ended; Ctrl-C detaches." };
        var json = JobArguments.Json("One JSON object a line.");
        ClusterAccess access = new();
        Verb verb = new("logs", "Prints a job's diary: what became of it, when and where.", "dtrain logs nightly-7", "dtrain logs nightly-7 -f") { id, follow, json };
        access.AddTo(verb);
        verb.SetAction(parse => access.RunAsync(parse, jobs => CopyAsync(
            jobs, new LogsRequest { Id = parse.GetRequiredValue(id), Follow = parse.GetValue(follow) }, parse.GetValue(json), parse.InvocationConfiguration, TimeProvider.System)));
        return verb;
    }

    private static async Task<int> CopyAsync(Jobs.JobsClient jobs, LogsRequest request, bool json, InvocationConfiguration console, TimeProvider time)
    {
        using var interruption = Interruption.Listen(time);
        var cancel = interruption.Asked;
        Outage outage = new(Outage.Patience, console.Error.WriteLine, time);
        var lines = EventStream.ReadAsync(from => jobs.Logs(new LogsRequest(request) { From = from }, cancellationToken: cancel), line => line.Number, outage, cancel);
        try
        {
            await foreach (var line in lines) await console.Output.WriteLineAsync(json ? PlainJson.Write(new { number = line.Number, text = line.Text }) : line.Text);
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            if (interruption.ReaderIsGone) return ExitCode.ReaderGone;
            await console.Error.WriteLineAsync("Detached; the job goes on.");
        }
        return ExitCode.Done;
    }
}
