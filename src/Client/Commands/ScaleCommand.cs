using System.CommandLine;
using Distributed.Protocol.V1;

namespace Distributed.Client.Commands;

internal static class ScaleCommand
{
    public static Command Create()
    {
        var workers = NumberOption.Whole("--workers", "N", "Ranks from now on.", least: 1);
        workers.Required = true;
        return JobVerb.Create(
            "scale",
            "Gives a job another number of ranks. A running one writes a checkpoint, returns to the queue and continues from there.",
            ["dtrain scale nightly-7 --workers 8"],
            (jobs, id, parse, options) => jobs.ScaleAsync(
                new ScaleRequest { Id = id.ToString(), Workers = parse.GetValue(workers)!.Value }, options),
            workers);
    }
}
