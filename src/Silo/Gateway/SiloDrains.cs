using Distributed.Core.Jobs;
using Distributed.Grains.Contracts;
using Orleans.Runtime;

namespace Distributed.Silo.Gateway;

/// <summary>Reaches the silo that an operator names, to drain it.</summary>
internal sealed class SiloDrains(IClusterMembershipService members, IDeviceServices devices)
{
    /// <exception cref="JobException">
    /// Code <c>spec-invalid</c>: there is no such silo; <c>silo-lost</c>: it leaves whatever is asked.
    /// </exception>
    public async Task Drain(string name, bool undo)
    {
        var active = members.CurrentSnapshot.Members.Values.Where(m => m.Status == SiloStatus.Active).ToList();
        var silo = active.Find(m => m.Name == name) ?? throw new JobException(
            ErrorCodes.SpecInvalid,
            $"silo: found '{name}', expected one of {string.Join(", ", active.Select(m => m.Name).Order(StringComparer.Ordinal))}.");
        if (await devices.On(silo.SiloAddress).Drain(!undo) && undo)
            throw new JobException(
                ErrorCodes.SiloLost,
                $"Silo {name} was told to end and leaves the cluster; that cannot be undone. Start it again once it has ended.");
    }
}
