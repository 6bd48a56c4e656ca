using Distributed.Core.Jobs;
using Distributed.Silo.Failures;
using Distributed.Silo.Settings;
using k8s;
using k8s.Exceptions;

namespace Distributed.Silo.Cluster.Kubernetes;

/// <summary>How the Kubernetes API is reached: as a pod, or with a kubeconfig.</summary>
internal static class KubernetesAccess
{
    /// <summary>
    /// After which a connection counts as dead; a network that comes back wakes none of those that it let down for as long as it was away.
    /// </summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(5);

    /// <exception cref="JobException">Code <c>settings-invalid</c>: neither a pod's account nor a kubeconfig that can be read.</exception>
    public static KubernetesClientConfiguration Configuration(KubernetesSettings settings)
    {
        if (Directory.Exists(settings.KubeConfig))
            throw new JobException(
                ServeErrors.SettingsInvalid, $"DTRAIN_KUBE_CONFIG: {settings.KubeConfig} is a folder, expected a kubeconfig file.");
        try
        {
            var found = settings.KubeConfig is { } file
                ? KubernetesClientConfiguration.BuildConfigFromConfigFile(file)
                : KubernetesClientConfiguration.InClusterConfig();
            found.FirstMessageHandlerSetup = handler =>
                (handler.ConnectTimeout, handler.KeepAlivePingDelay, handler.KeepAlivePingTimeout) = (Silence, Silence, Silence);
            return found;
        }
        catch (Exception e) when (e is KubeConfigException or IOException or UnauthorizedAccessException or YamlDotNet.Core.YamlException)
        {
            throw new JobException(
                ServeErrors.SettingsInvalid,
                settings.KubeConfig is { } file
                    ? $"DTRAIN_KUBE_CONFIG: {file} is not a readable kubeconfig: {e.Message}"
                    : $"DTRAIN_CLUSTERING=kubernetes, but this is not a pod with a service account ({e.Message}); "
                        + "set automountServiceAccountToken, or DTRAIN_KUBE_CONFIG outside of a cluster.",
                e);
        }
    }
}
