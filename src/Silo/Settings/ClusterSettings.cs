using System.Globalization;
using System.Net;
using Distributed.Core.Jobs;
using Distributed.Core.Values;
using Distributed.Silo.Failures;

namespace Distributed.Silo.Settings;

/// <summary>Which cluster a silo joins, under which name, and where the cluster keeps its jobs.</summary>
internal sealed record ClusterSettings
{
    public const string DefaultMembershipConfigMap = "dtrain-membership";

    /// <summary>Unique within the cluster.</summary>
    public required string SiloName { get; init; }

    /// <summary>Ranks that run here without sharing a core.</summary>
    public required int Slots { get; init; }

    /// <summary>Bytes that the silo may use; null: what the machine or the container has.</summary>
    public long? Memory { get; init; }

    /// <summary>Silos of another cluster are never met, jobs of another one never seen, even in the same store.</summary>
    public required string ClusterId { get; init; }

    public required Clustering Clustering { get; init; }

    public required StateStorage Storage { get; init; }

    /// <summary>Orleans endpoint of the first silo, on loopback; null: this is the first, or the members stand in a store.</summary>
    public IPEndPoint? Primary { get; init; }

    /// <summary>Connection string of Redis or PostgreSQL; null: neither is used.</summary>
    public Secret? Store { get; init; }

    /// <summary>Where the pods run and how the API is reached; null: no Kubernetes.</summary>
    public KubernetesSettings? Kubernetes { get; init; }

    /// <summary>Reads the DTRAIN_ variables of clustering and storage.</summary>
    /// <exception cref="JobException">What is missing or wrong; no connection string is ever quoted.</exception>
    public static ClusterSettings FromEnvironment(Func<string, string?> variable)
    {
        string? Get(string name) => variable(name) is { Length: > 0 } value ? value : null;

        var clustering = Word(Get, "DTRAIN_CLUSTERING", Clustering.Localhost);
        var storage = Word(Get, "DTRAIN_STORAGE", clustering switch
        {
            Clustering.Redis => StateStorage.Redis,
            Clustering.Postgres => StateStorage.Postgres,
            _ => StateStorage.Files,
        });
        RefuseTwoStores(clustering, storage);
        var kubernetes = clustering == Clustering.Kubernetes ? ReadKubernetes(Get) : null;
        var name = Name("DTRAIN_SILO_NAME", Get("DTRAIN_SILO_NAME") ?? kubernetes?.Pod ?? ServeSettings.DefaultName);
        if (kubernetes is not null && name != kubernetes.Pod)
            throw Invalid($"DTRAIN_SILO_NAME: found '{name}' in pod '{kubernetes.Pod}'; with DTRAIN_CLUSTERING=kubernetes a silo has its "
                + "pod's name; leave it out.");
        return new ClusterSettings
        {
            SiloName = name,
            Slots = ReadSlots(Get("DTRAIN_SLOTS")),
            Memory = ReadMemory(Get("DTRAIN_MEMORY")),
            ClusterId = Name("DTRAIN_CLUSTER_ID", Get("DTRAIN_CLUSTER_ID") ?? ServeSettings.DefaultCluster),
            Clustering = clustering,
            Storage = storage,
            Primary = ReadPrimary(variable("DTRAIN_PRIMARY"), clustering),
            Store = ReadStore(
                Get, clustering is Clustering.Redis or Clustering.Postgres || storage is StateStorage.Redis or StateStorage.Postgres),
            Kubernetes = kubernetes,
        };
    }

    private static KubernetesSettings ReadKubernetes(Func<string, string?> get) => new(
        get("POD_NAMESPACE")
        ?? throw Invalid("POD_NAMESPACE is not set; DTRAIN_CLUSTERING=kubernetes needs it: take it from the pod's metadata.namespace."),
        get("POD_NAME")
        ?? throw Invalid("POD_NAME is not set; DTRAIN_CLUSTERING=kubernetes needs it: take it from the pod's metadata.name."),
        get("DTRAIN_MEMBERSHIP_CONFIGMAP") ?? DefaultMembershipConfigMap,
        get("DTRAIN_KUBE_CONFIG"));

    private static T Word<T>(Func<string, string?> get, string name, T otherwise)
        where T : struct, Enum
    {
        if (get(name) is not { } text) return otherwise;
        var words = Enum.GetValues<T>();
        foreach (var word in words)
            if (string.Equals(text, WordOf(word), StringComparison.Ordinal)) return word;
        throw Invalid($"{name}: found '{text}', expected one of {string.Join(", ", words.Select(WordOf))}.");
    }

    private static string WordOf<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();

    private static void RefuseTwoStores(Clustering clustering, StateStorage storage)
    {
        if ((clustering, storage) is (Clustering.Redis, StateStorage.Postgres) or (Clustering.Postgres, StateStorage.Redis))
            throw Invalid($"DTRAIN_STORAGE: found '{WordOf(storage)}' with DTRAIN_CLUSTERING={WordOf(clustering)}, "
                + $"but there is one DTRAIN_STORE; expected {WordOf(clustering)}, files or memory.");
    }

    private static string Name(string variable, string text) =>
        text.Length <= 63 && text.Length > 0 && char.IsAsciiLetterOrDigit(text[0]) && char.IsAsciiLetterOrDigit(text[^1])
        && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-')
            ? text
            : throw Invalid(
                $"{variable}: found '{text}', expected 1 to 63 letters, digits, '.', '_' or '-', a letter or digit at both ends.");

    private static int ReadSlots(string? text)
    {
        if (text is null) return Environment.ProcessorCount;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var slots) && slots is >= 1 and <= 4096
            ? slots
            : throw Invalid($"DTRAIN_SLOTS: found '{text}', expected a number from 1 to 4096.");
    }

    private static long? ReadMemory(string? text) => text is null ? null
        : MemorySize.Parse(text) ?? throw Invalid($"DTRAIN_MEMORY: found '{PlainText.Show(text)}', expected {MemorySize.Expected}.");

    private static IPEndPoint? ReadPrimary(string? text, Clustering clustering)
    {
        if (string.IsNullOrEmpty(text))
        {
            // A shell that read the ready line too early: this silo would begin a second cluster over the same jobs.
            return text is null || clustering != Clustering.Localhost ? null : throw Invalid(
                "DTRAIN_PRIMARY is set but empty, expected the endpoint in the first silo's ready line, which it writes once it is up; "
                + "for the first silo leave it out.");
        }

        if (clustering != Clustering.Localhost)
            throw Invalid($"DTRAIN_PRIMARY is set with DTRAIN_CLUSTERING={WordOf(clustering)}, where silos find each other "
                + "without it; leave it out.");
        return IPEndPoint.TryParse(text, out var primary) && IPAddress.IsLoopback(primary.Address) && primary.Port > 0
            ? primary
            : throw Invalid(
                $"DTRAIN_PRIMARY: found '{text}', expected the loopback endpoint in the first silo's ready line, such as 127.0.0.1:40123.");
    }

    private static Secret? ReadStore(Func<string, string?> get, bool needed)
    {
        var (text, file) = (get("DTRAIN_STORE"), get("DTRAIN_STORE_FILE"));
        if (!needed)
        {
            return text is null && file is null ? null : throw Invalid(
                "DTRAIN_STORE or DTRAIN_STORE_FILE is set, but nothing is kept there; set DTRAIN_CLUSTERING or DTRAIN_STORAGE to redis or "
                + "postgres, or leave it out.");
        }

        if (text is not null && file is not null) throw Invalid("DTRAIN_STORE and DTRAIN_STORE_FILE are both set; keep one of them.");
        if (text is not null) return new Secret(text);
        if (file is null)
            throw Invalid(
                "DTRAIN_STORE_FILE is not set; name the file that holds the connection string of the store (or set DTRAIN_STORE).");
        return new Secret(ReadSecret(file) is { Length: > 0 } read
            ? read
            : throw Invalid($"DTRAIN_STORE_FILE: {file} is empty; it must hold the connection string of the store."));
    }

    private static string ReadSecret(string file)
    {
        if (Directory.Exists(file))
            throw Invalid($"DTRAIN_STORE_FILE: {file} is a folder, expected the file that holds the connection string of the store.");
        try
        {
            return File.ReadAllText(file).Trim();
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new JobException(ErrorCodes.PathMissing, $"DTRAIN_STORE_FILE: no file {file}.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Invalid($"DTRAIN_STORE_FILE: {file} cannot be read: {e.Message}");
        }
    }

    private static JobException Invalid(string message) => new(ServeErrors.SettingsInvalid, message);
}

/// <param name="Namespace">Where the silo's pod and the ConfigMap are.</param>
/// <param name="Pod">Name of the silo's pod.</param>
/// <param name="ConfigMap">Holds the table of members; made with the manifests.</param>
/// <param name="KubeConfig">A kubeconfig file to reach the API with; null: as pods do.</param>
internal sealed record KubernetesSettings(string Namespace, string Pod, string ConfigMap, string? KubeConfig);
