using System.CommandLine;
using Distributed.Protocol.V1;

namespace Distributed.Client.Commands;

internal static class StatusCommand
{
    public static Command Create() => JobVerb.Create(
        "status",
        "Shows the state of one job.",
        ["dtrain status nightly-7 --json"],
        (jobs, id, _, options) => jobs.GetAsync(new GetRequest { Id = id.ToString() }, options));
}
