using System.Net;

namespace Distributed.Kubernetes.Tests;

/// <summary>What a silo reads from its environment.</summary>
public sealed class SettingsTests
{
    /// <summary>Every variable of <c>dtrain-silo serve</c>.</summary>
    private static readonly HashSet<string> Known =
    [
        "DTRAIN_SILO_NAME", "DTRAIN_SLOTS", "DTRAIN_CLUSTERING", "DTRAIN_PRIMARY", "DTRAIN_STORE", "DTRAIN_STORE_FILE", "DTRAIN_STORAGE",
        "DTRAIN_CLUSTER_ID", "DTRAIN_MEMBERSHIP_CONFIGMAP",
        "DTRAIN_ADDRESS", "DTRAIN_ADVERTISE", "DTRAIN_PORT", "DTRAIN_SILO_PORT", "DTRAIN_EXCHANGE_PORT", "DTRAIN_TLS_CERT",
        "DTRAIN_TLS_KEY",
        "DTRAIN_SILO_CERT", "DTRAIN_SILO_KEY", "DTRAIN_SILO_CA", "DTRAIN_TOKEN_FILE", "DTRAIN_USERS_FILE", "DTRAIN_JOBS_ROOT",
        "DTRAIN_DATA_ROOT",
    ];

    /// <summary>Read by Orleans' part for Kubernetes, by the runtime and by the driver.</summary>
    private static readonly HashSet<string> Others =
    [
        "POD_NAME", "POD_NAMESPACE", "POD_IP", "ORLEANS_SERVICE_ID", "ORLEANS_CLUSTER_ID",
        "DOTNET_EnableDiagnostics", "DOTNET_gcServer", "MALLOC_ARENA_MAX", "NVIDIA_DRIVER_CAPABILITIES",
    ];

    [KubectlTheory]
    [MemberData(nameof(Overlay.Data), MemberType = typeof(Overlay))]
    public void Variables_AreOnesThatTheSiloKnows(string name)
    {
        var overlay = Overlay.Of(name);
        Assert.Subset(Known, overlay.Settings.Keys.ToHashSet());
        Assert.Subset(Others, overlay.Silo.Env.Select(variable => variable.Name).ToHashSet());
        Assert.Equal(overlay.Silo.Env.Count, overlay.Silo.Env.DistinctBy(variable => variable.Name).Count());
    }

    /// <summary>Kubernetes would set DTRAIN_PORT for the service named dtrain, and others like it.</summary>
    [KubectlTheory]
    [MemberData(nameof(Overlay.Data), MemberType = typeof(Overlay))]
    public void Variables_ComeFromNoService(string name) => Assert.False(Overlay.Of(name).Pod.EnableServiceLinks);

    [KubectlTheory]
    [MemberData(nameof(Overlay.Data), MemberType = typeof(Overlay))]
    public void Cluster_NeedsNothingButTheApiServerAndTheVolume(string name)
    {
        var settings = Overlay.Of(name).Settings;
        Assert.Equal(("kubernetes", "files"), (settings["DTRAIN_CLUSTERING"], settings["DTRAIN_STORAGE"]));
        Assert.DoesNotContain(settings.Keys, key => key.StartsWith("DTRAIN_STORE", StringComparison.Ordinal) && key != "DTRAIN_STORAGE");
        Assert.True(int.Parse(settings["DTRAIN_SLOTS"], System.Globalization.CultureInfo.InvariantCulture) >= 1);
    }

    [KubectlTheory]
    [MemberData(nameof(Overlay.Data), MemberType = typeof(Overlay))]
    public void Orleans_KnowsThePodAndItsLabels(string name)
    {
        var overlay = Overlay.Of(name);
        var fields = overlay.Silo.Env.Where(e => e.ValueFrom is not null).ToDictionary(e => e.Name, e => e.ValueFrom.FieldRef.FieldPath);
        Assert.Equal(
            new Dictionary<string, string>
            {
                ["POD_NAME"] = "metadata.name",
                ["POD_NAMESPACE"] = "metadata.namespace",
                ["POD_IP"] = "status.podIP",
                ["ORLEANS_SERVICE_ID"] = "metadata.labels['orleans/serviceId']",
                ["ORLEANS_CLUSTER_ID"] = "metadata.labels['orleans/clusterId']",
            },
            fields);
        Assert.Equal(
            ("dtrain", overlay.Settings["DTRAIN_CLUSTER_ID"]),
            (overlay.PodLabels["orleans/serviceId"], overlay.PodLabels["orleans/clusterId"]));
    }

    [KubectlTheory]
    [MemberData(nameof(Overlay.Data), MemberType = typeof(Overlay))]
    public void Files_AreOnesThatTheSecretsHold(string name)
    {
        var overlay = Overlay.Of(name);
        Assert.False(IPAddress.IsLoopback(IPAddress.Parse(overlay.Settings["DTRAIN_ADDRESS"])));
        var secrets = SecretsTests.Rendered.Value;
        foreach (var (variable, volume, secret) in new[]
        {
            ("DTRAIN_TLS_CERT", "tls", "dtrain-tls"), ("DTRAIN_TLS_KEY", "tls", "dtrain-tls"), ("DTRAIN_SILO_CERT", "tls", "dtrain-tls"),
            ("DTRAIN_SILO_KEY", "tls", "dtrain-tls"), ("DTRAIN_SILO_CA", "tls", "dtrain-tls"), ("DTRAIN_USERS_FILE", "users",
                "dtrain-users"),
        })
        {
            var file = overlay.Settings[variable];
            Assert.Equal(overlay.Mount(volume), Path.GetDirectoryName(file));
            Assert.Equal(secret, Assert.Single(overlay.Pod.Volumes, v => v.Name == volume).Secret.SecretName);
            Assert.Contains(Path.GetFileName(file), secrets[secret].Data.Keys);
        }
    }
}
