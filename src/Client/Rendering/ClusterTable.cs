using Distributed.Protocol.V1;

namespace Distributed.Client.Rendering;

/// <summary>The silos of a cluster as a table or as JSON.</summary>
internal static class ClusterTable
{
    public static void Write(TextWriter output, ClusterReply reply)
    {
        TextTable.Write(
            output, ["SILO", "STATE", "SLOTS", "JOB"],
            [.. reply.Silos.Select(silo => new[] { silo.Name, silo.State, ProgressCells.Text($"{silo.Slots}"), silo.Job })]);
        foreach (var silo in reply.Silos.Where(silo => silo.Fault.Length > 0)) output.WriteLine($"silo {silo.Name}: {silo.Fault}");
        var kinds = reply.Silos.Where(silo => silo.Fingerprint.Length > 0).GroupBy(silo => silo.Fingerprint).ToList();
        if (kinds.Count > 1)
        {
            output.WriteLine("the silos differ, and the ranks of one job run on silos that are alike:");
            foreach (var kind in kinds) output.WriteLine($"  {string.Join(", ", kind.Select(silo => silo.Name))}: {kind.Key}");
        }

        output.WriteLine(ProgressCells.Text($"jobs: {reply.Running} running, {reply.Waiting} waiting"));
    }

    public static string Json(ClusterReply reply) => PlainJson.Write(new
    {
        silos = reply.Silos.Select(silo => new
        {
            name = silo.Name,
            state = silo.State,
            slots = silo.Slots,
            job = silo.Job.Length > 0 ? silo.Job : null,
            fault = silo.Fault.Length > 0 ? silo.Fault : null,
            fingerprint = silo.Fingerprint.Length > 0 ? silo.Fingerprint : null,
        }),
        waiting = reply.Waiting,
        running = reply.Running,
    });
}
