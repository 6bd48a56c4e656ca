using Distributed.Core.Values;
using Distributed.Protocol.V1;

namespace Distributed.Client.Rendering;

/// <summary>The state of jobs as a table or as JSON.</summary>
internal static class JobStatusView
{
    private const int NameColumn = 1;

    /// <param name="width">Of the terminal, to which names are cut; null: it is none.</param>
    public static void WriteTable(TextWriter output, IReadOnlyList<JobStatus> jobs, int? width = null) => TextTable.Write(
        output,
        ["ID", "NAME", "USER", "STATE", "PRIORITY", "STEP", "GENERATION", "RANKS", "SILOS", "MESSAGE"],
        [.. jobs.Select(Row)],
        NameColumn,
        width);

    public static string Json(JobStatus job) => PlainJson.Write(Fields(job));

    public static string Json(IEnumerable<JobStatus> jobs) => PlainJson.Write(jobs.Select(Fields));

    /// <summary>What scripts read.</summary>
    public static object Fields(JobStatus job) => new
    {
        id = job.Id,
        name = job.Name,
        state = job.State,
        step = job.Step,
        steps = job.Steps > 0 ? (long?)job.Steps : null,
        generation = job.Generation,
        message = job.Message.Length > 0 ? job.Message : null,
        user = job.User,
        priority = job.Priority,
        ranks = job.Ranks,
        silos = job.Silos,
    };

    private static string[] Row(JobStatus job) =>
    [
        job.Id, PlainText.Show(job.Name, int.MaxValue), job.User, job.State, ProgressCells.Text($"{job.Priority}"), Steps(job),
        ProgressCells.Text($"{job.Generation}"),
        job.Ranks > 0 ? ProgressCells.Text($"{job.Ranks}") : "-", job.Silos.Count > 0 ? string.Join(',', job.Silos) : "-",
        PlainText.Show(FirstLine(job.Message), int.MaxValue),
    ];

    private static string Steps(JobStatus job) =>
        job.Steps > 0 ? ProgressCells.Text($"{job.Step}/{job.Steps}") : ProgressCells.Text($"{job.Step}");

    private static string FirstLine(string message) => message.Split('\n')[0];
}
