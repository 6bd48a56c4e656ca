using System.CommandLine;
using Distributed.Client.Cluster;

namespace Distributed.Client.Commands;

internal static class WatchCommand
{
    public static Command Create()
    {
        var id = JobArguments.Id();
        Option<bool> fromNow = new("--from-now") { Description = "Only what happens from now on; of a job that has ended, its end." };
        var json = JobArguments.Json("One event per line.");
        ClusterAccess access = new();
        Verb verb = new(
            "watch",
            "Follows a job from its first event to its end. Ctrl-C detaches; the job continues.",
            "dtrain watch nightly-7",
            "dtrain watch nightly-7 --from-now",
            "dtrain watch nightly-7 --json | grep '\"event\":\"eval\"'")
        {
            id, fromNow, json,
        };
        access.AddTo(verb);
        verb.SetAction(parse => access.RunAsync(parse, jobs => new JobFollower(
            jobs, parse.GetRequiredValue(id), parse.GetValue(json), parse.InvocationConfiguration.Output,
            parse.InvocationConfiguration.Error, TimeProvider.System, parse.GetValue(fromNow)).FollowAsync()));
        return verb;
    }
}
