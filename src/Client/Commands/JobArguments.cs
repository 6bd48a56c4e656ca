using System.CommandLine;
using System.CommandLine.Parsing;
using Distributed.Core.Jobs;

namespace Distributed.Client.Commands;

/// <summary>What the verbs about one job of a cluster have in common.</summary>
internal static class JobArguments
{
    public static Argument<JobId> Id() => new("ID")
    {
        Description = "The job's id, as 'dtrain submit' printed it.",
        CustomParser = result => Parse(result, "ID") ?? default,
    };

    /// <param name="name">Of the argument or option, for the error.</param>
    /// <returns>Null: it is no id, as the error says.</returns>
    public static JobId? Parse(ArgumentResult result, string name)
    {
        var text = result.Tokens[0].Value;
        if (JobId.TryParse(text, out var id)) return id;
        result.AddError($"{name}: {JobId.Misfit(text)}.");
        return null;
    }

    public static Option<bool> Json(string form) => new("--json") { Description = form };
}
