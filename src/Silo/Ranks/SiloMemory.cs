using Distributed.Core.Jobs;
using Distributed.Core.Machine;
using Distributed.Core.Spec;
using Distributed.Core.Values;
using Distributed.Silo.Settings;

namespace Distributed.Silo.Ranks;

/// <summary>
/// What this silo may use of the machine's memory, and jobs that would need more: they are refused before they allocate anything.
/// </summary>
internal sealed class SiloMemory(ServeSettings settings)
{
    /// <summary>Bytes: <c>DTRAIN_MEMORY</c>, else the limit of the process's cgroup, else the machine's memory.</summary>
    public long Limit { get; } = settings.Memory ?? MachineMemory.Read();

    /// <summary>
    /// What a job asks for beyond the limit is refused by the system from now on, so that the job fails and not the silo. Where the machine
    /// itself is the limit, or CUDA maps what it likes, nothing is set.
    /// </summary>
    public void Cap(JobSpec spec)
    {
        if (spec.Workers.Device != "cpu" || (settings.Memory ?? MachineMemory.ReadLimit()) is not { } limit) return;
        MemoryCap.Set(limit);
    }

    /// <param name="spec">With paths as they are on this silo.</param>
    /// <param name="ranks">Of the job, here.</param>
    /// <exception cref="JobException">Code <c>memory</c>: with the figures.</exception>
    public void Check(JobSpec spec, int ranks)
    {
        var need = JobMemory.Of(spec, ranks).Reading(spec.Data);
        if (need.Total <= Limit) return;
        var where = settings.HasOneClient ? "this machine" : $"silo {settings.SiloName}";
        throw new JobException(
            ErrorCodes.Memory,
            FormattableString.Invariant($"With {ranks} {(ranks == 1 ? "rank" : "ranks")} on {where} the job needs {need}. It may use ")
            + FormattableString.Invariant($"{MemorySize.Text(Limit)} there. Lower microBatch, the model's sizes or the ranks, or give it ")
            + FormattableString.Invariant($"more memory{(settings.HasOneClient ? "" : " (DTRAIN_MEMORY, or the container's limit)")}."));
    }
}
