using System.CommandLine;
using Distributed.Protocol.V1;

namespace Distributed.Client.Commands;

internal static class StopCommand
{
    public static Command Create() => JobVerb.Create(
        "stop",
        "Ends a job after the step in flight; its state is written first.",
        ["dtrain stop nightly-7"],
        (jobs, id, _, options) => jobs.StopAsync(new StopRequest { Id = id, Checkpoint = true }, options));
}
