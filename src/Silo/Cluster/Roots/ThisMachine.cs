namespace Distributed.Silo.Cluster.Roots;

/// <summary>What tells this machine, and the network inside it, from others.</summary>
internal static class ThisMachine
{
    /// <summary>Of the running kernel: processes that share it see each other's locks.</summary>
    /// <value>Empty where the system does not say.</value>
    public static string Kernel { get; } = Read(() => File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim());

    /// <summary>Loopback addresses mean the same to processes with the same value.</summary>
    public static string Loopback { get; } = $"{(Kernel.Length > 0 ? Kernel : Environment.MachineName)} "
        + $"{Read(() => File.ResolveLinkTarget("/proc/self/ns/net", false)?.Name ?? "")}";

    private static string Read(Func<string> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
