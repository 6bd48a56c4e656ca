using System.CommandLine;
using System.Text.Json;
using Distributed.Client.Files;
using Distributed.Client.Outcomes;
using Distributed.Client.Rendering;
using Distributed.Core.Checkpoints;

namespace Distributed.Client.Commands;

internal static class CheckpointVerifyCommand
{
    public static Command Create()
    {
        Argument<string[]> paths =
            new("PATH") { Description = "A checkpoint, or a directory of checkpoints.", Arity = ArgumentArity.OneOrMore };
        var json = JobArguments.Json("One JSON object per checkpoint.");
        Verb verb = new(
            "verify",
            "Compares every file with its checkpoint's manifest, to the last byte. Exit code 1 when one differs.",
            "dtrain checkpoint verify runs/trial/checkpoints",
            "dtrain checkpoint verify runs/trial/checkpoints/step-0000000100 --json")
        {
            paths, json,
        };
        verb.SetAction(parse =>
        {
            var output = parse.InvocationConfiguration.Output;
            var reports = parse.GetRequiredValue(paths).SelectMany(CheckpointPath.All).Select(path => CheckpointVerifier.Verify(path))
                .ToList();
            if (parse.GetValue(json)) reports.ForEach(report => output.WriteLine(Json(report)));
            else TextTable.Write(output, ["CHECKPOINT", "FILE", "RESULT", "DETAIL"], [.. reports.SelectMany(Rows)]);
            return reports.TrueForAll(report => report.Ok) ? ExitCode.Done : ExitCode.Failed;
        });
        return verb;
    }

    private static IEnumerable<IReadOnlyList<string>> Rows(CheckpointReport report) =>
        report.Files.Select(file => new[] { report.Path, file.Name, file.Ok ? "ok" : "DAMAGED", file.Detail });

    private static string Json(CheckpointReport report) => JsonSerializer.Serialize(new
    {
        path = report.Path,
        ok = report.Ok,
        step = report.Manifest?.Step,
        files = report.Files.Select(file => new { name = file.Name, ok = file.Ok, detail = file.Detail }),
    });
}
