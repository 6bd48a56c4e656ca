using System.Globalization;
using System.Text.Json;
using Distributed.Client.Outcomes;

namespace Distributed.Client.LocalCluster;

/// <summary>
/// Finds silos of another machine that use the same folder, as where machines share home folders. They are reached, and
/// ended, from there only.
/// </summary>
internal static class OtherMachine
{
    /// <summary>Silos write their marks again every two seconds.</summary>
    private static readonly TimeSpan Watched = TimeSpan.FromSeconds(7);

    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(500);

    /// <summary>Watches the marks of silos that bear another host's name, where there are any.</summary>
    /// <exception cref="CommandFailure">One of them lives.</exception>
    public static async Task RefuseAsync(ClusterFolder folder, TimeProvider time, CancellationToken cancel)
    {
        var first = Read(folder);
        if (first.Count == 0) return;
        for (var begin = time.GetTimestamp(); time.GetElapsedTime(begin) < Watched;)
        {
            await Task.Delay(LookAgain, time, cancel);
            foreach (var (file, mark) in Read(folder))
            {
                if (first.TryGetValue(file, out var before) && before.Beat == mark.Beat) continue;
                throw new CommandFailure(
                    ExitCode.Usage,
                    $"The cluster in '{folder.Root}' runs on machine {mark.Host} ({mark.Silo}, process {mark.Process}), "
                    + $"and this is {Environment.MachineName}: its silos are reached and ended from there only. "
                    + "Work there, or name another folder for a cluster of this machine: --dir DIR.");
            }
        }
    }

    private static Dictionary<string, Mark> Read(ClusterFolder folder)
    {
        Dictionary<string, Mark> marks = new(StringComparer.Ordinal);
        if (!Directory.Exists(folder.Marks)) return marks;
        // A machine that got another name is still the one that runs this kernel.
        foreach (var file in Directory.EnumerateFiles(folder.Marks, "*.mark"))
            if (Load(file) is { } mark && mark.Host != Environment.MachineName && mark.Kernel != ProcessMark.CurrentBoot)
                marks[file] = mark;
        return marks;
    }

    /// <returns>Null: it has gone, or is being written.</returns>
    private static Mark? Load(string file)
    {
        try
        {
            // A number that grows, then what the silo says of itself.
            if (File.ReadAllText(file).Split('\n') is not [var beat, var words, ..]
                || !long.TryParse(beat, NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return null;
            using var json = JsonDocument.Parse(words);
            var root = json.RootElement;
            return new(
                number, root.GetProperty("Host").GetString() ?? "", root.GetProperty("Silo").GetString() ?? "",
                root.GetProperty("Process").GetInt32(), root.GetProperty("Kernel").GetString() ?? "");
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException or JsonException or KeyNotFoundException
            or InvalidOperationException or FormatException)
        {
            return null;
        }
    }

    private sealed record Mark(long Beat, string Host, string Silo, int Process, string Kernel);
}
