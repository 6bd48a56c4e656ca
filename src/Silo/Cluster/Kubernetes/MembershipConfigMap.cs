using System.Net;
using Distributed.Core.Jobs;
using Distributed.Silo.Failures;
using Distributed.Silo.Settings;
using Orleans.Hosting.Kubernetes;
using k8s;
using k8s.Autorest;
using k8s.Models;

namespace Distributed.Silo.Cluster.Kubernetes;

/// <summary>One ConfigMap, of which each cluster has one entry; needs no right but to get and update that one name.</summary>
internal sealed class MembershipConfigMap : IDisposable
{
    /// <summary>Of one call; Orleans tries again.</summary>
    private static readonly TimeSpan CallDeadline = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(250);

    /// <summary>By which Orleans knows the pods of a cluster.</summary>
    private static readonly string[] Labels = [KubernetesHostingOptions.ServiceIdLabel, KubernetesHostingOptions.ClusterIdLabel];

    private readonly k8s.Kubernetes client;
    private readonly KubernetesSettings settings;

    private MembershipConfigMap(k8s.Kubernetes client, KubernetesSettings settings) => (this.client, this.settings) = (client, settings);

    /// <summary>Connects, tries the rights that a silo needs and looks at the labels of its pod.</summary>
    /// <param name="clusterId">What the labels must say.</param>
    /// <exception cref="JobException">Code <c>settings-invalid</c> or <c>store-unreachable</c>.</exception>
    public static async Task<MembershipConfigMap> Open(KubernetesSettings settings, string clusterId, TimeSpan patience)
    {
        var map = new MembershipConfigMap(new k8s.Kubernetes(KubernetesAccess.Configuration(settings)), settings);
        try
        {
            using var deadline = new CancellationTokenSource(patience, TimeProvider.System);
            await map.Check(clusterId, deadline.Token);
            return map;
        }
        catch
        {
            map.Dispose();
            throw;
        }
    }

    public void Dispose() => client.Dispose();

    /// <summary>The map as it is, with its resourceVersion.</summary>
    /// <exception cref="HttpOperationException">It is missing, or the API is.</exception>
    public async Task<V1ConfigMap> Read()
    {
        using var deadline = new CancellationTokenSource(CallDeadline, TimeProvider.System);
        return await client.CoreV1.ReadNamespacedConfigMapAsync(settings.ConfigMap, settings.Namespace, cancellationToken: deadline.Token);
    }

    /// <summary>Of the map itself: another one of the same name has another.</summary>
    public string Identity { get; private set; } = "";

    /// <summary>Puts a changed map in the place of the one that was read.</summary>
    /// <returns>False when another silo changed it in between.</returns>
    public async Task<bool> TryReplace(V1ConfigMap map)
    {
        using var deadline = new CancellationTokenSource(CallDeadline, TimeProvider.System);
        try
        {
            await client.CoreV1.ReplaceNamespacedConfigMapAsync(
                map, settings.ConfigMap, settings.Namespace, cancellationToken: deadline.Token);
            return true;
        }
        catch (HttpOperationException e) when (e.Response.StatusCode == HttpStatusCode.Conflict)
        {
            return false;
        }
    }

    private async Task Check(string clusterId, CancellationToken deadline)
    {
        var map = await Try($"get configmaps/{settings.ConfigMap}", "apply the manifests, which create it empty", () =>
            client.CoreV1.ReadNamespacedConfigMapAsync(settings.ConfigMap, settings.Namespace, cancellationToken: deadline), deadline);
        Identity = map.Metadata is { Uid: { } uid } ? uid : $"{settings.Namespace}/{settings.ConfigMap}";
        var pod = await Try($"get pods/{settings.Pod}", "POD_NAME and POD_NAMESPACE must be those of this pod", () =>
            client.CoreV1.ReadNamespacedPodAsync(settings.Pod, settings.Namespace, cancellationToken: deadline), deadline);
        RefuseOtherLabels(pod, clusterId);
        // Without this right Orleans would ask again and again.
        await Try(
            "list pods", "", () => client.CoreV1.ListNamespacedPodAsync(settings.Namespace, limit: 1, cancellationToken: deadline),
            deadline);
    }

    /// <summary>Orleans would write them itself, for which a silo has no right.</summary>
    private void RefuseOtherLabels(V1Pod pod, string clusterId)
    {
        foreach (var label in Labels)
        {
            var found = pod.Metadata.Labels?.TryGetValue(label, out var value) == true ? $"'{value}'" : "none";
            if (found != $"'{clusterId}'")
                throw Invalid(
                    $"Pod {settings.Pod}: label {label}: found {found}, expected '{clusterId}', the DTRAIN_CLUSTER_ID; "
                    + "set both alike in the pod's template.", null);
        }
    }

    /// <summary>A network that is not yet open to a new pod refuses its first calls: they are made again until the deadline.</summary>
    private async Task<T> Try<T>(string what, string whenMissing, Func<Task<T>> call, CancellationToken deadline)
    {
        for (Exception? refused = null; ;)
        {
            try
            {
                return await call();
            }
            catch (HttpOperationException e) when (e.Response.StatusCode == HttpStatusCode.NotFound)
            {
                throw Invalid($"Kubernetes found nothing in namespace {settings.Namespace} for '{what}'; {whenMissing}.", e);
            }
            catch (HttpOperationException e) when (e.Response.StatusCode is HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized)
            {
                throw Invalid(
                    $"Kubernetes refuses '{what}' in namespace {settings.Namespace} ({(int)e.Response.StatusCode}): "
                    + "give the pod's service account the manifests' Role "
                    + $"(pods: get, list, watch; configmaps named {settings.ConfigMap}: get, update).", e);
            }
            catch (Exception e) when (e is HttpOperationException or HttpRequestException or OperationCanceledException)
            {
                if (deadline.IsCancellationRequested) throw Unreachable(what, refused ?? e);
                refused = e;
            }

            await Task.WhenAny(Task.Delay(LookAgain, TimeProvider.System, deadline));
        }
    }

    private JobException Unreachable(string what, Exception refused) => new(
        ServeErrors.StoreUnreachable,
        $"The Kubernetes API at {client.BaseUri} does not answer '{what}' ({refused.Message.TrimEnd('.')}): "
        + "check its address and the network policy.", refused);

    private static JobException Invalid(string message, Exception? inner) => new(ServeErrors.SettingsInvalid, message, inner);
}
