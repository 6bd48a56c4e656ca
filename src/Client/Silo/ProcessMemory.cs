using System.Globalization;

namespace Distributed.Client.Silo;

/// <summary>What the system says of another process's memory.</summary>
internal static class ProcessMemory
{
    private const string Row = "VmHWM:";

    /// <returns>Bytes that were resident at most; null where the system does not say.</returns>
    public static long? Peak(int process)
    {
        try
        {
            // "VmHWM:     12345 kB"
            var row = File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/status"))
                .FirstOrDefault(line => line.StartsWith(Row, StringComparison.Ordinal));
            return row?.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries) is [_, var kibi, ..]
                && long.TryParse(kibi, NumberStyles.None, CultureInfo.InvariantCulture, out var amount) ? amount * 1024 : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
