using System.CommandLine;

namespace Distributed.Client.Commands;

/// <summary>What the verbs about one job of a cluster have in common.</summary>
internal static class JobArguments
{
    public static Argument<string> Id() => new("ID") { Description = "The job's id, as 'dtrain submit' printed it." };

    public static Option<bool> Json(string form) => new("--json") { Description = form };
}
