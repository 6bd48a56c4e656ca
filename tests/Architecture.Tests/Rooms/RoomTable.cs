namespace Distributed.Architecture.Tests.Rooms;

/// <summary>Which rooms of a project may use which: a line for each room, in an order in which each uses only those above it.</summary>
internal sealed class RoomTable
{
    private RoomTable(IReadOnlyList<(string Room, IReadOnlyList<string> Uses)> lines) => Lines = lines;

    public IReadOnlyList<(string Room, IReadOnlyList<string> Uses)> Lines { get; }

    public static IReadOnlyDictionary<string, RoomTable> Of { get; } = new Dictionary<string, RoomTable>
    {
        ["Core"] = Read("""
            Values:
            Machine:
            Jobs:
            Documents: Values
            LossScaling:
            Spec: Documents, LossScaling, Values
            Stepping: LossScaling, Spec
            Canonical:
            Samples: Spec
            Checkpoints: Jobs, LossScaling, Machine, Samples, Stepping, Values
            Events: Samples, Values
            Users: Documents, Values
            """),
        ["Training"] = Read("""
            Kernels:
            Native: Kernels
            Precision: Native
            Parameters: Native, Precision
            Reduction: Kernels, Native, Parameters
            Exchange: Kernels, Reduction
            Optim: Kernels, Native, Parameters
            Data: Native
            Models: Data, Native, Parameters
            Checkpoints: Native, Parameters
            Loop: Checkpoints, Data, Exchange, Kernels, Models, Native, Optim, Parameters, Precision, Reduction
            Benchmarks: Exchange, Kernels, Loop, Native, Reduction
            """),
        ["Grains"] = Read("""
            Contracts:
            Placement: Contracts
            Devices: Contracts, Placement
            Queue: Contracts, Placement
            Workers: Contracts, Placement
            Exchange: Contracts
            Coordination: Contracts, Exchange, Placement
            Jobs: Contracts, Placement
            Benchmarks: Placement
            (root): Contracts, Devices, Jobs, Placement, Queue
            """),
    };

    /// <summary>Reads lines of the form <c>room: room, room</c>.</summary>
    public static RoomTable Read(string text) => new(
    [
        .. text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(line => line.Split(':'))
            .Select(parts => (parts[0], (IReadOnlyList<string>)parts[1].Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))),
    ]);

    /// <summary>What is wrong with the graph, or with the table itself; empty: nothing.</summary>
    public IEnumerable<string> Problems(RoomGraph graph)
    {
        var above = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (room, uses) in Lines)
        {
            foreach (var used in uses.Where(used => !above.Contains(used))) yield return $"the table lets {room} use {used}, which does not stand above it";
            if (!above.Add(room)) yield return $"the table has {room} twice";
            if (!graph.Names.Contains(room)) yield return $"the table has {room}, which holds no type";
            foreach (var used in uses.Where(used => !graph.Arrows.ContainsKey((room, used)))) yield return $"the table lets {room} use {used}, which it does not do";
        }

        var allowed = Lines.SelectMany(line => line.Uses.Select(used => (line.Room, used))).ToHashSet();
        foreach (var room in graph.Names.Where(room => !above.Contains(room))) yield return $"the table lacks {room}";
        foreach (var (arrow, example) in graph.Arrows.Where(arrow => !allowed.Contains(arrow.Key))) yield return $"{arrow.From} may not use {arrow.To}: {example}";
    }
}
