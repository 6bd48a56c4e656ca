using Distributed.Protocol.V1;

namespace Distributed.Client.Rendering;

/// <summary>What keeps a job, in words or as JSON.</summary>
internal static class WhyView
{
    public static void Write(TextWriter output, WhyReply reply)
    {
        output.WriteLine($"Job {reply.Job.Id} is {reply.Job.State}.");
        foreach (var finding in reply.Findings)
        {
            output.WriteLine($"- {finding.What}");
            if (finding.Remedy.Length > 0) output.WriteLine($"  Remedy: {finding.Remedy}");
        }
    }

    public static string Json(WhyReply reply) => PlainJson.Write(new
    {
        job = JobStatusView.Fields(reply.Job),
        findings = reply.Findings.Select(
            finding => new { what = finding.What, remedy = finding.Remedy.Length > 0 ? finding.Remedy : null }),
    });
}
