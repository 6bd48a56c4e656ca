using Distributed.Core.Values;

namespace Distributed.Silo.Settings;

/// <summary>
/// The environment of a silo of a cluster: each variable that it reads, what it means, and what holds where it is absent.
/// </summary>
/// <remarks>The table in docs/cluster.md is written from here.</remarks>
internal static class SiloVariables
{
    private const string Prefix = "DTRAIN_";

    /// <summary>Variables of the client, which a shell may set for both.</summary>
    private static readonly string[] OfClient = ["DTRAIN_CLUSTER", "DTRAIN_CA_FILE", "DTRAIN_SILO", "DTRAIN_BENCH", "DTRAIN_PYTHON"];

    public static IReadOnlyList<SiloVariable> All { get; } =
    [
        new(
            AccessSettings.UsersVariable, "JSON file with the users, their roles, tokens and quotas; read again when it changes",
            "this or the next is required"),
        new(AccessSettings.TokenVariable, "file with the token of the user `admin`, 16 characters or more", ""),
        new(
            "DTRAIN_DATA_ROOT", "folder that `data.path` and `model.weights` are relative to, the same for all silos",
            "required, absolute"),
        new(
            "DTRAIN_JOBS_ROOT",
            "folder of the jobs' checkpoints and events, one folder per job id, and of their state in `.state`; "
            + "the same for all silos of a cluster, and of no other cluster",
            "required, absolute"),
        new(
            "DTRAIN_SILO_NAME", "name in events and messages; each silo of a cluster has its own",
            $"`{ServeSettings.DefaultName}`; with `kubernetes` the pod's"),
        new("DTRAIN_SLOTS", "ranks that run here without sharing a core", "the cores"),
        new(
            "DTRAIN_MEMORY", "memory that the silo may use, such as `8GiB` ([memory](#memory))",
            "the container's limit, else the machine's memory"),
        new(
            "DTRAIN_CLUSTER_ID", "silos with another id are not met and jobs with another id are not seen, even in the same store",
            $"`{ServeSettings.DefaultCluster}`"),
        new(
            "DTRAIN_CLUSTERING",
            "how silos find each other ([stores](#stores)): `localhost`: the first silo holds the table of members; `files`: "
            + "a file under `DTRAIN_JOBS_ROOT` does, for silos of one machine; `redis`, `postgres`: the store holds it; `kubernetes`: "
            + "see the [manifests](kubernetes.md)",
            "`localhost`"),
        new("DTRAIN_PRIMARY", "`localhost` only: `endpoint` of the first silo's ready line", "none: this is the first"),
        new(
            "DTRAIN_STORAGE", "where the state of jobs is kept: `files`, `redis`, `postgres`; `memory` forgets all jobs with the silos",
            "that of the members; `files` with `localhost`, `files` and `kubernetes`"),
        new(
            "DTRAIN_STORE_FILE", "file with the connection string of the Redis or PostgreSQL; it is written to no log and no message",
            "required where either is used, or the next"),
        new("DTRAIN_STORE", "the connection string itself", ""),
        new("DTRAIN_PORT", "port of the gRPC endpoint", ServeSettings.DefaultPort),
        new(
            "DTRAIN_ADDRESS",
            "IP address to listen on, `0.0.0.0` for all; other than loopback only with the certificates below. "
            + "Silos of one machine (`localhost`, `files`) meet on loopback all the same", "127.0.0.1"),
        new("DTRAIN_ADVERTISE", "IP address at which other silos reach this one", "`DTRAIN_ADDRESS`"),
        new("DTRAIN_SILO_PORT", "port for the Orleans of other silos", "any free port"),
        new("DTRAIN_EXCHANGE_PORT", "port for the gradients of other silos; with silo certificates only", "any free port"),
        new("DTRAIN_TLS_CERT", "PEM file: TLS at the gRPC endpoint ([certificates](runbook.md#certificates))", "none: plaintext"),
        new("DTRAIN_TLS_KEY", "PEM file: its key", ""),
        new("DTRAIN_SILO_CERT", "PEM file: mutual TLS between silos", "none"),
        new("DTRAIN_SILO_KEY", "PEM file: its key", ""),
        new("DTRAIN_SILO_CA", "PEM file: the authorities that silos' certificates must come from", ""),
        new(
            "DTRAIN_DRAIN_SECONDS", "how long a silo that leaves waits for its jobs to write a checkpoint and return to the queue",
            $"{ServeSettings.DefaultDrainSeconds}"),
        new(
            "DTRAIN_STOP_SECONDS",
            "how long a job that was stopped, or that is over its `limits.run`, may take for the step in flight and its checkpoint; "
            + "then its ranks are ended without that checkpoint. Raise it where honest steps take longer",
            $"{ServeSettings.DefaultStopSeconds}"),
        new(
            "DTRAIN_RUN_LIMIT",
            "how long the ranks of a job may run, such as `7d`, where its user has no `run`; "
            + "a job's own `limits.run` can only be shorter. It does not bind admins", "no limit"),
        new(
            "DTRAIN_DISK_LIMIT",
            "what the jobs of a user without `disk` may take below the jobs root, such as `50GiB`; it does not bind admins", "no limit"),
        new(
            "DTRAIN_PREEMPT", "`on`: a job that waits for silos takes those of running jobs of lower priority ([preemption](#the-queue))",
            "`off`"),
        new(
            "DTRAIN_MEMBERSHIP_CONFIGMAP", "`kubernetes` only: the ConfigMap that holds the table of members; the manifests set it",
            $"`{ClusterSettings.DefaultMembershipConfigMap}`"),
        new("DTRAIN_KUBE_CONFIG", "`kubernetes` only: a kubeconfig file, where there is no service account", "none"),
        new("DTRAIN_LIBTORCH", "as for the [client](cli.md#environment-of-the-client)", ""),
        new("DTRAIN_MALLOC", "as for the client", ""),
        new("DTRAIN_TRACE", "as for the client", ""),
    ];

    /// <summary>What is wrong with names in the environment that no silo reads, but that were most likely meant for one.</summary>
    /// <remarks>Others may use the prefix too, as Kubernetes does for services: only a near miss is a mistake.</remarks>
    /// <param name="names">Of all variables that are set.</param>
    public static IEnumerable<string> Mistakes(IEnumerable<string> names)
    {
        var known = All.Select(v => v.Name).Concat(OfClient).ToHashSet(StringComparer.Ordinal);
        foreach (var name in names.Where(n => n.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase) && !known.Contains(n))
            .Order(StringComparer.Ordinal))
            if (NearestWord.Of(name[Prefix.Length..], All.Select(v => v.Name[Prefix.Length..])) is { } meant)
                yield return $"{PlainText.Show(name)} is set, but no silo reads it; did you mean {Prefix}{meant}?";
    }
}

/// <param name="About">What it means, in Markdown.</param>
/// <param name="Default">What holds where it is absent, in Markdown.</param>
internal sealed record SiloVariable(string Name, string About, string Default);
