using System.CommandLine;
using Distributed.Protocol.V1;

namespace Distributed.Client.Commands;

internal static class ResumeCommand
{
    public static Command Create() => JobVerb.Create(
        "resume",
        "Puts a stopped or failed job back into the queue; it continues from its last checkpoint.",
        ["dtrain resume nightly-7"],
        (jobs, id, _, options) => jobs.ResumeAsync(new ResumeRequest { Id = id.ToString() }, options));
}
