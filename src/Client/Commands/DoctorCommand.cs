using System.CommandLine;
using System.Text;
using Distributed.Client.Cluster;
using Distributed.Client.Outcomes;
using Distributed.Client.Rendering;
using Distributed.Client.Silo;
using Distributed.Protocol.V1;

namespace Distributed.Client.Commands;

internal static class DoctorCommand
{
    public static Command Create()
    {
        var json = JobArguments.Json("One JSON object.");
        ClusterAccess access = new();
        Verb verb = new(
            "doctor",
            "Checks devices, native libraries, versions and precisions of this machine, and the cluster if one is named. "
            + "Exit code 1 when something is wrong.",
            "dtrain doctor",
            "dtrain doctor --cluster https://trainer.example:8443 --json")
        {
            json,
        };
        access.AddTo(verb);
        verb.SetAction(async parse =>
        {
            var (output, error) = (parse.InvocationConfiguration.Output, parse.InvocationConfiguration.Error);
            var report = await AskSiloAsync(error);
            if (access.IsNamed(parse)) report = report with { Checks = [.. report.Checks, await CheckClusterAsync(access, parse)] };
            Write(report, parse.GetValue(json), output);
            return report.IsHealthy ? ExitCode.Done : ExitCode.Failed;
        });
        return verb;
    }

    internal static void Write(DoctorReport report, bool json, TextWriter output)
    {
        if (json)
        {
            output.WriteLine(report.ToJson());
            return;
        }
        TextTable.Write(
            output, ["CHECK", "RESULT", "DETAIL"], [.. report.Checks.Select(check => new[] { check.Name, check.Result, check.Detail })]);
        if (report.Fingerprint is { Length: > 0 } fingerprint) output.WriteLine($"fingerprint: {fingerprint}");
        foreach (var check in report.Checks.Where(check => !check.Ok || check.Remedy is not null))
            output.WriteLine($"{check.Name}: {check.Remedy ?? "no remedy known"}");
    }

    /// <summary>A silo that cannot even report is itself the finding.</summary>
    private static async Task<DoctorReport> AskSiloAsync(TextWriter error)
    {
        StringBuilder text = new();
        try
        {
            var code = await SiloTool.RunAsync(SiloLocator.Find(), ["doctor"], line => text.AppendLine(line), error, TimeProvider.System);
            if (code is ExitCode.Interrupted or ExitCode.ReaderGone) throw new CommandFailure(code, "Interrupted.");
            return DoctorReport.Read(text.ToString()) ?? Broken(
                $"ended with {ExitWords.Describe(code)} and without a report",
                "The lines above, from the silo itself, name the cause; reinstall or rebuild if a library is missing.");
        }
        catch (CommandFailure failure) when (failure.ExitCode is not (ExitCode.Interrupted or ExitCode.ReaderGone))
        {
            return Broken(failure.Message, $"Build the whole solution, or set {SiloLocator.Variable}.");
        }
    }

    private static DoctorReport Broken(string detail, string remedy) => new(null, [new DoctorCheck("silo", false, detail, remedy)]);

    private static async Task<DoctorCheck> CheckClusterAsync(ClusterAccess access, ParseResult parse)
    {
        const string name = "cluster";
        try
        {
            ClusterReply seen = new();
            await access.RunAsync(parse, async client =>
            {
                seen = await client.ClusterAsync(new ClusterRequest(), JobsConnection.Within(TimeProvider.System, CancellationToken.None));
                return ExitCode.Done;
            });
            return new(
                name, true, ProgressCells.Text($"answers, {seen.Silos.Count} silos; jobs: {seen.Running} running, {seen.Waiting} waiting"),
                null);
        }
        catch (CommandFailure failure)
        {
            return new(name, false, failure.Message, "Check address, token and network.");
        }
    }
}
