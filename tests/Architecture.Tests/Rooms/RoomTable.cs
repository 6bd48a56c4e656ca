namespace Distributed.Architecture.Tests.Rooms;

/// <summary>Which rooms of a project may use which: a line for each room, in an order in which each uses only those above it.</summary>
internal sealed class RoomTable
{
    private RoomTable(IReadOnlyList<RoomLine> lines) => Lines = lines;

    public IReadOnlyList<RoomLine> Lines { get; }

    public static IReadOnlyDictionary<string, RoomTable> Of { get; } = new Dictionary<string, RoomTable>
    {
        ["Core"] = Read("""
            Values: | sizes, durations, plain text, finite numbers
            Machine: | files behind a fence, memory limits, open files
            Jobs: Values | ids, generations, ranks, error codes
            Documents: Values | YAML and JSON with positions, errors and bounds
            Options: Documents, Values | options records: their keys, ranges and defaults, read and written
            DataSets: Options | what a job file says of each data set
            Models: DataSets, Documents, Options, Values | what a job file says of each model
            Optimizers: Documents, Options, Values | what a job file says of each optimizer
            Schedules: Options | the learning rate by updates
            LossScaling: | the loss-scale policies
            Spec: DataSets, Documents, LossScaling, Models, Optimizers, Options, Schedules, Values | the job file: its keys, rules, JSON form and memory
            Stepping: Jobs, LossScaling, Optimizers, Schedules, Spec | votes, the decision to apply or skip a step
            Canonical: | the order of sums: micro-batches, blocks, owners
            Samples: Spec | which sample is in which micro-batch; random draws
            Checkpoints: Jobs, LossScaling, Machine, Samples, Stepping, Values | files, manifest and differences of checkpoints
            Events: Jobs, Samples, Values | the events of a job and their JSON form
            Users: Documents, Values | the file of users, roles and tokens
            """),
        ["Training"] = Read("""
            Kernels: | loops over host memory
            Native: Kernels | libtorch: loading, checks, operators, autocast, hooks
            Precision: Native | what each precision policy casts
            Devices: Kernels, Native | the device of a rank: its memory, uploads, host reads and gradient arithmetic
            Parameters: Devices, Native, Precision | flat storage, layout and initial values of parameters
            Reduction: Devices, Kernels, Parameters | gradients of a rank, merged and summed in the canonical tree
            Ranks: | where the ranks of a silo meet and wait for each other
            Exchange: Devices, Kernels, Ranks, Reduction | sums of gradients over all ranks: within a silo, and across silos over sockets
            Optim: Devices, Native, Parameters | SGD, Adam and AdamW on flat storage
            Data: Native | data sets, archives, augmentation, prefetching
            Models: Data, Kernels, Native, Parameters | the built-in models and losses
            Checkpoints: Devices, Native, Parameters | tensors of a checkpoint, warm start, hash of the weights
            Loop: Checkpoints, Data, Devices, Exchange, Models, Native, Optim, Parameters, Precision, Ranks, Reduction | the step, one after the other; evaluation, checkpoints
            """),
        ["Grains"] = Read("""
            Contracts: | interfaces of the grains and what they say to each other
            Placement: Contracts | which rank runs on which of a job's silos; which silo hosts a grain
            Leases: Contracts, Placement | leases of the slots of a silo
            Queue: Contracts, Placement | the queue: order, choice of silos, preemption, quotas
            Workers: Contracts, Placement | starts and ends one rank
            Exchange: Contracts | gathers the chunks of an exchange through the coordinator
            Coordination: Contracts, Exchange, Placement | joins the votes of a step
            Jobs: Contracts, Placement | the life of a job
            (root): Contracts, Jobs, Leases, Placement, Queue | adds all of it to a silo
            """),
        ["Silo"] = Read("""
            Failures: | error words of a silo, the end of its process
            Security: | TLS at the gateway and between silos
            Exchange: Failures | the exchange through the coordinator
            Settings: Security | what the environment says
            Cluster: Failures, Security, Settings | members, stores, clocks, the jobs root
            Folders: Settings | files of jobs: paths, events, logs
            Ranks: Exchange, Failures, Folders, Settings | runs the ranks that the grains ask for
            Lifecycle: Cluster, Failures, Folders, Ranks, Settings | readiness, draining, leaving, ending
            Gateway: Failures, Folders, Lifecycle, Settings | gRPC: tokens, rights, requests, health
            Hosting: Cluster, Exchange, Failures, Folders, Gateway, Lifecycle, Ranks, Security, Settings | puts a silo together
            Doctor: | checks of the machine and of libtorch
            """),
        ["Client"] = Read("""
            Following: | progress and interruption of a job that is watched
            Outcomes: | exit codes and failures
            Certificates: Outcomes | makes the certificates of a cluster
            Files: Outcomes | job files and paths
            Rendering: Following, Outcomes | tables, progress, plots
            Silo: Following, Outcomes | starts silo processes and tools
            Users: Outcomes | edits the file of users
            Cluster: Files, Following, Outcomes, Rendering | gRPC to a cluster: connections, retries, events
            LocalCluster: Cluster, Following, Outcomes, Rendering, Silo, Users | `dtrain cluster up` and `down`
            Runs: Cluster, Following, Outcomes, Rendering, Silo | `dtrain train`
            Commands: Certificates, Cluster, Files, Following, LocalCluster, Outcomes, Rendering, Runs, Silo, Users | one class per command
            (root): Commands, Following, Outcomes, Rendering | the program
            """),
        ["Bench"] = Read("""
            Figures: | medians, rates, fits, steady steps and tables
            Settings: | the options of a bench
            Baselines: | other programs to compare with: OpenMPI, PyTorch
            Cluster: | silos that a bench starts, and jobs that it trains there
            Step: Figures | `bench step`: a step next to that of a plain loop
            Memory: Figures, Step | `bench memory`
            Matmul: Figures | `bench matmul`
            AllReduce: Baselines, Cluster, Figures, Settings | `bench allreduce`
            Latency: Cluster, Figures, Settings | `bench latency`
            Idle: Cluster, Figures, Settings | `bench idle`
            Prediction: Figures | what a step is made of: fitted, and computed for more silos
            Scaling: Baselines, Cluster, Figures, Latency, Prediction, Settings, Step | `bench scaling`
            Command: AllReduce, Cluster, Figures, Idle, Latency, Matmul, Memory, Scaling, Settings, Step | chooses the bench and prints its rows
            """),
    };

    /// <summary>Reads lines of the form <c>room: room, room | what the room holds</c>.</summary>
    public static RoomTable Read(string text) => new(
    [
        .. text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(line => line.Split('|', 2))
            .Select(parts => (Rule: parts[0].Split(':', 2), Holds: parts.Length > 1 ? parts[1].Trim() : ""))
            .Select(line => new RoomLine(
                line.Rule[0], line.Rule[1].Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries), line.Holds)),
    ]);

    /// <summary>A Mermaid graph of the arrows, without those that follow from others, and a table of the rooms.</summary>
    public string Draw()
    {
        var uses = Lines.ToDictionary(line => line.Room, line => line.Uses);
        var arrows = Lines.SelectMany(line => line.Uses.Where(used => !line.Uses.Any(other => other != used && Reaches(other, used)))
            .Select(used => $"  {Node(line.Room)} --> {Node(used)}"));
        var alone = Lines.Where(line => line.Uses.Count == 0).Select(line => $"  {Node(line.Room)}[\"{line.Room}\"]");
        return string.Join('\n', [
            "```mermaid", "graph TD", .. alone, .. arrows, "```", "", "| folder | holds |", "| --- | --- |",
            .. Lines.Select(line => $"| {line.Room} | {line.Holds} |")]);

        bool Reaches(string from, string to) => uses[from].Any(next => next == to || Reaches(next, to));

        static string Node(string room) => room.Trim('(', ')');
    }

    /// <summary>What is wrong with the graph, or with the table itself; empty: nothing.</summary>
    public IEnumerable<string> Problems(RoomGraph graph)
    {
        var above = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (room, uses, _) in Lines)
        {
            foreach (var used in uses.Where(used => !above.Contains(used)))
                yield return $"the table lets {room} use {used}, which does not stand above it";
            if (!above.Add(room)) yield return $"the table has {room} twice";
            if (!graph.Names.Contains(room)) yield return $"the table has {room}, which holds no type";
            foreach (var used in uses.Where(used => !graph.Arrows.ContainsKey((room, used))))
                yield return $"the table lets {room} use {used}, which it does not do";
        }

        var allowed = Lines.SelectMany(line => line.Uses.Select(used => (line.Room, used))).ToHashSet();
        foreach (var room in graph.Names.Where(room => !above.Contains(room))) yield return $"the table lacks {room}";
        foreach (var (arrow, example) in graph.Arrows.Where(arrow => !allowed.Contains(arrow.Key)))
            yield return $"{arrow.From} may not use {arrow.To}: {example}";
    }
}

/// <param name="Uses">Rooms above it that its code names.</param>
internal sealed record RoomLine(string Room, IReadOnlyList<string> Uses, string Holds);
