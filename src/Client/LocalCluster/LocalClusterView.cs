using Distributed.Client.Rendering;

namespace Distributed.Client.LocalCluster;

/// <summary>A cluster of this machine, for a shell, for its user and for scripts.</summary>
internal static class LocalClusterView
{
    /// <param name="isRead">A shell or script takes the output; otherwise the user sees it and learns what it is for.</param>
    /// <param name="named">The folder as the user named it; null: the default one.</param>
    public static void Write(RunningCluster cluster, TextWriter output, TextWriter error, bool isRead, string? named)
    {
        output.WriteLine($"export DTRAIN_CLUSTER={Quote(cluster.Addresses)}");
        output.WriteLine($"export DTRAIN_TOKEN_FILE={Quote(cluster.Folder.TokenFile)}");
        var dir = named is null ? "" : $" --dir {Quote(cluster.Folder.Root)}";
        var (silos, slots) = (cluster.Layout.Silos, cluster.Layout.Slots);
        error.WriteLine(ProgressCells.Text($"A cluster of {silos} {(silos == 1 ? "silo" : "silos")} with {slots} ")
            + ProgressCells.Text($"{(slots == 1 ? "slot" : "slots")} each {What(cluster)} in {cluster.Folder.Root}."));
        if (!isRead) error.WriteLine($"The lines above are for your shell:  eval \"$(dtrain cluster up{dir})\"");
        error.WriteLine(
            $"Then: dtrain submit FILE --id NAME; dtrain watch NAME; dtrain cluster. Put data that jobs name into {cluster.Folder.Data}.");
        error.WriteLine($"Logs: {Path.Combine(cluster.Folder.Root, "silo-*.log")}. End it: dtrain cluster down{dir}");
    }

    public static string Json(RunningCluster cluster) => PlainJson.Write(new
    {
        dir = cluster.Folder.Root,
        cluster = cluster.Addresses,
        tokenFile = cluster.Folder.TokenFile,
        dataRoot = cluster.Folder.Data,
        jobsRoot = cluster.Folder.Jobs,
        slots = cluster.Layout.Slots,
        started = cluster.Started,
        silos = cluster.Silos.Select(silo => new { name = silo.Name, pid = silo.ReadMark()?.Id, address = silo.Address(), log = silo.Log }),
    });

    public static void Write(ClusterFolder folder, IReadOnlyList<SiloEnding> ended, TextWriter output)
    {
        foreach (var silo in ended) output.WriteLine($"{silo.Silo}: {Words(silo.End)}");
        output.WriteLine(ended.Count == 0 ? $"No silo of {folder.Root} runs." : $"Jobs, data and token stay in {folder.Root}.");
    }

    public static string Json(ClusterFolder folder, IReadOnlyList<SiloEnding> ended) => PlainJson.Write(new
    {
        dir = folder.Root,
        silos = ended.Select(silo => new { name = silo.Silo, end = Word(silo.End) }),
    });

    /// <summary>A text that any POSIX shell takes as it stands.</summary>
    public static string Quote(string text) => $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    private static string What(RunningCluster cluster) => cluster.Started switch
    {
        0 => "runs already",
        _ when cluster.Started < cluster.Silos.Count => ProgressCells.Text($"runs, {cluster.Started} of them just started,"),
        _ => "has started",
    };

    private static string Words(SiloEnd end) => end switch
    {
        SiloEnd.Left => "left",
        SiloEnd.Killed => "killed because it did not leave in time; its jobs continue from the previous checkpoint",
        _ => "was gone already",
    };

    private static string Word(SiloEnd end) => end switch
    {
        SiloEnd.Left => "left",
        SiloEnd.Killed => "killed",
        _ => "gone",
    };
}
