using Distributed.Grains.Contracts;
using Distributed.Protocol.V1;

namespace Distributed.Silo.Gateway;

/// <summary>What the grains say in the words of the wire, and back.</summary>
internal static class JobMessages
{
    public static Grains.Contracts.RunOptions OptionsOf(Protocol.V1.RunOptions? options) => options is null ? new() : new()
    {
        Ranks = options.Ranks,
        Resume = options.Resume,
        StopAt = options.StopAt,
        Silos = options.Silos,
        Priority = options.Priority,
    };

    public static JobStatus StatusOf(JobReport report) => new()
    {
        Id = report.Id.ToString(),
        Name = report.Name,
        State = report.Phase switch
        {
            JobPhase.Queued => "queued",
            JobPhase.Running => "running",
            JobPhase.Completed => "completed",
            JobPhase.Stopped => "stopped",
            _ => "failed",
        },
        Step = report.Step,
        Steps = report.Steps,
        Generation = report.Generation.Value,
        Message = report.Message,
        User = report.User,
        Priority = report.Priority,
        Ranks = report.Ranks,
        Silos = { report.Silos },
        Events = report.Events,
        LogLines = report.LogLines,
    };

    public static LogLine LineOf(NumberedEvent line) => new() { Number = line.Number, Text = line.Json };

    public static WhyReply WhyOf(JobDiagnosis diagnosis) => new()
    {
        Job = StatusOf(diagnosis.Report),
        Findings = { diagnosis.Findings.Select(finding => new Finding { What = finding.What, Remedy = finding.Remedy }) },
    };

    public static ClusterReply ClusterOf(ClusterView view) => new()
    {
        Silos =
        {
            view.Silos.Select(silo => new Protocol.V1.SiloStatus
            {
                Name = silo.Name,
                State = silo.Condition switch
                {
                    SiloCondition.Free => "free",
                    SiloCondition.Busy => "busy",
                    SiloCondition.Draining => "draining",
                    _ => "silent",
                },
                Slots = silo.Slots,
                Job = silo.Job?.ToString() ?? "",
                Fault = silo.Fault ?? "",
                Fingerprint = silo.Fingerprint,
            }),
        },
        Waiting = view.Waiting,
        Running = view.Running,
    };
}
