using System.Text.Encodings.Web;
using System.Text.Json;
using Distributed.Protocol.V1;

namespace Distributed.Client.Rendering;

/// <summary>The state of jobs as a table or as JSON.</summary>
internal static class JobStatusView
{
    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static void WriteTable(TextWriter output, IReadOnlyList<JobStatus> jobs) => TextTable.Write(
        output,
        ["ID", "NAME", "STATE", "STEP", "GENERATION", "MESSAGE"],
        [.. jobs.Select(job => new[] { job.Id, job.Name, job.State, Steps(job), ProgressCells.Text($"{job.Generation}"), FirstLine(job.Message) })]);

    public static string Json(JobStatus job) => JsonSerializer.Serialize(Fields(job), Plain);

    public static string Json(IEnumerable<JobStatus> jobs) => JsonSerializer.Serialize(jobs.Select(Fields), Plain);

    private static object Fields(JobStatus job) => new
    {
        id = job.Id,
        name = job.Name,
        state = job.State,
        step = job.Step,
        steps = job.Steps > 0 ? (long?)job.Steps : null,
        generation = job.Generation,
        message = job.Message.Length > 0 ? job.Message : null,
    };

    private static string Steps(JobStatus job) => job.Steps > 0 ? ProgressCells.Text($"{job.Step}/{job.Steps}") : ProgressCells.Text($"{job.Step}");

    private static string FirstLine(string message) => message.Split('\n')[0];
}
