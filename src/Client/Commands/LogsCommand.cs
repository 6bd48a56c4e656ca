using System.CommandLine;
using System.Globalization;
using Distributed.Client.Cluster;
using Distributed.Client.Following;
using Distributed.Client.Outcomes;
using Distributed.Client.Rendering;
using Distributed.Core.Jobs;
using Distributed.Core.Values;
using Distributed.Protocol.V1;

namespace Distributed.Client.Commands;

internal static class LogsCommand
{
    public static Command Create()
    {
        var id = JobArguments.Id();
        Option<bool> follow = new("--follow", "-f") { Description = "Follow the log until the job has ended; Ctrl-C detaches." };
        var tail = NumberOption.Whole("--tail", "N", "Begin with the last N lines; 0: only new ones.", 0);
        Option<DateTimeOffset?> since = new("--since")
        {
            HelpName = "TIME",
            Description = "Only lines of this time or later: a duration before now (s, m, h, d), such as 30m, "
                + "or a time such as 2026-05-01T12:00:00Z.",
            CustomParser = result =>
            {
                if (ParseTime(result.Tokens[0].Value, TimeProvider.System.GetUtcNow()) is { } time) return time;
                result.AddError($"--since: found '{result.Tokens[0].Value}', expected {DurationText.Expected}, "
                    + "or a time such as 2026-05-01T12:00:00Z.");
                return null;
            },
        };
        var json = JobArguments.Json("One JSON object per line.");
        ClusterAccess access = new();
        Verb verb = new(
            "logs",
            "Prints a job's log: what happened to it, when and where.",
            "dtrain logs nightly-7",
            "dtrain logs nightly-7 --tail 20 -f",
            "dtrain logs nightly-7 --since 30m")
        {
            id, follow, tail, since, json,
        };
        access.AddTo(verb);
        verb.SetAction(parse => access.RunAsync(parse, async jobs =>
        {
            LogsRequest request = new() { Id = parse.GetRequiredValue(id).ToString(), Follow = parse.GetValue(follow) };
            if (parse.GetValue(tail) is { } lines) request.From = await FirstOfLastAsync(jobs, parse.GetRequiredValue(id), lines);
            return await CopyAsync(
                jobs, request, parse.GetValue(since), parse.GetValue(json), parse.InvocationConfiguration, TimeProvider.System);
        }));
        return verb;
    }

    /// <summary>A duration before <paramref name="now"/>, or a time; one without a zone is of this machine's.</summary>
    /// <returns>Null: neither.</returns>
    internal static DateTimeOffset? ParseTime(string text, DateTimeOffset now)
    {
        if (DurationText.Parse(text) is { } ago) return now - ago;
        // A bare number would be read as a month or a year.
        return text.Contains('-', StringComparison.Ordinal)
            && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeLocal, out var time) ? time : null;
    }

    /// <summary>Lines begin with their time; one that does not is kept.</summary>
    internal static bool IsSince(string line, DateTimeOffset since) =>
        !DateTimeOffset.TryParse(line.Split(' ', 2)[0], CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
        || time >= since;

    private static async Task<long> FirstOfLastAsync(Jobs.JobsClient jobs, JobId id, int lines)
    {
        GetRequest request = new() { Id = id.ToString() };
        var status = await jobs.GetAsync(request, JobsConnection.Within(TimeProvider.System, CancellationToken.None));
        return Math.Max(0, status.LogLines - lines);
    }

    private static async Task<int> CopyAsync(
        Jobs.JobsClient jobs, LogsRequest request, DateTimeOffset? since, bool json, InvocationConfiguration console, TimeProvider time)
    {
        using var interruption = Interruption.Listen(time);
        var cancel = interruption.Asked;
        Outage outage = new(Outage.Patience, console.Error.WriteLine, time);
        var lines = EventStream.ReadAsync(
            from => jobs.Logs(new LogsRequest(request) { From = from }, cancellationToken: cancel), line => line.Number, outage, cancel,
            request.From);
        try
        {
            await foreach (var line in lines)
            {
                if (since is { } earliest && !IsSince(line.Text, earliest)) continue;
                await console.Output.WriteLineAsync(json ? PlainJson.Write(new { number = line.Number, text = line.Text }) : line.Text);
            }
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            if (interruption.ReaderIsGone) return ExitCode.ReaderGone;
            await console.Error.WriteLineAsync("Detached; the job continues.");
        }
        return ExitCode.Done;
    }
}
