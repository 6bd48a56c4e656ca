using System.CommandLine;
using Distributed.Client.Files;
using Distributed.Client.Outcomes;
using Distributed.Core.Spec;

namespace Distributed.Client.Commands;

/// <summary>The job file and its overrides, as several verbs take them.</summary>
internal static class JobFileInput
{
    public static Argument<string> FileArgument() => new("FILE") { Description = "Job file, YAML or JSON." };

    public static Option<string[]> SetOption() => new("--set")
    {
        Description = "Replace one value of the job, such as optimizer.lr=0.01; may be given again.",
        HelpName = "key=value",
        DefaultValueFactory = _ => [],
    };

    /// <summary>The job with absolute paths.</summary>
    /// <exception cref="CommandFailure">All that is wrong with the file, one line each.</exception>
    public static JobSpec Read(string path, IReadOnlyList<string> overrides) =>
        Accept(path, JobFile.Read(HomeFolder.Expand(path, "FILE"), overrides));

    /// <summary>The job with its paths as written, for a cluster to resolve.</summary>
    /// <inheritdoc cref="Read"/>
    public static JobSpec ReadRemote(string path, IReadOnlyList<string> overrides) =>
        Accept(path, JobFile.ReadRemote(HomeFolder.Expand(path, "FILE"), overrides));

    private static JobSpec Accept(string path, JobSpecResult result) => result is { Spec: { } spec, Errors.Count: 0 }
        ? spec
        : throw new CommandFailure(
            ExitCode.Usage, "the job cannot run:\n" + string.Join('\n', result.Errors.Select(error => error.Format(path))));
}
