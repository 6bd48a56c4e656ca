using k8s.Models;

namespace Distributed.Kubernetes.Tests;

/// <summary>A silo's pod has no right that it does not need: Kubernetes' level "restricted", and a read-only root.</summary>
public sealed class PodSecurityTests
{
    [KubectlTheory]
    [MemberData(nameof(Overlay.Data), MemberType = typeof(Overlay))]
    public void Pod_RunsAsAnotherUserThanRoot(string name)
    {
        var overlay = Overlay.Of(name);
        var context = overlay.Pod.SecurityContext;
        Assert.Equal((true, 10001L, 10001L, 10001L), (context.RunAsNonRoot, context.RunAsUser, context.RunAsGroup, context.FsGroup));
        Assert.Equal("RuntimeDefault", context.SeccompProfile.Type);
        Assert.Null(context.Sysctls);
        Assert.Null(context.SupplementalGroups);
        Assert.NotEqual(true, overlay.Pod.HostNetwork);
        Assert.NotEqual(true, overlay.Pod.HostPID);
        Assert.NotEqual(true, overlay.Pod.HostIPC);
    }

    [KubectlTheory]
    [MemberData(nameof(Overlay.Data), MemberType = typeof(Overlay))]
    public void Container_HasNoPrivilegeAndWritesNowhereInItsImage(string name)
    {
        var overlay = Overlay.Of(name);
        Assert.Empty(overlay.Pod.InitContainers ?? []);
        Assert.Empty(overlay.Pod.EphemeralContainers ?? []);
        var context = overlay.Silo.SecurityContext;
        Assert.Equal((false, false, true), (context.AllowPrivilegeEscalation, context.Privileged, context.ReadOnlyRootFilesystem));
        Assert.Equal(["ALL"], context.Capabilities.Drop);
        Assert.Null(context.Capabilities.Add);
        // What the pod says holds: the container overrides none of it.
        Assert.Equal((null, null, null, null), (context.RunAsUser, context.RunAsNonRoot, context.RunAsGroup, context.SeccompProfile));
        Assert.Null(context.ProcMount);
        Assert.All(overlay.Silo.Ports, port => Assert.Null(port.HostPort));
    }

    [KubectlTheory]
    [MemberData(nameof(Overlay.Data), MemberType = typeof(Overlay))]
    public void Volumes_AreWritableWhereJobsAndTemporaryFilesLie(string name)
    {
        var overlay = Overlay.Of(name);
        Assert.All(overlay.Pod.Volumes, v => Assert.True(
            v.PersistentVolumeClaim is not null || v.Secret is not null || v.EmptyDir is not null, $"volume {v.Name}"));
        Assert.Equal(
            ["/tmp", overlay.Settings["DTRAIN_JOBS_ROOT"]],
            overlay.Silo.VolumeMounts.Where(m => m.ReadOnlyProperty != true).Select(m => m.MountPath).Order(StringComparer.Ordinal));
        Assert.Equal(overlay.Settings["DTRAIN_DATA_ROOT"], overlay.Mount("data"));
        Assert.NotNull(Assert.Single(overlay.Pod.Volumes, v => v.Name == "tmp").EmptyDir.SizeLimit);
        Assert.All(overlay.All<V1PersistentVolumeClaim>(), claim => Assert.Equal(["ReadWriteMany"], claim.Spec.AccessModes));
        // Root's, and read by the group alone: 0440.
        Assert.All(
            overlay.Pod.Volumes.Where(v => v.Secret is not null), v => Assert.Equal(Convert.ToInt32("440", 8), v.Secret.DefaultMode));
    }

    [KubectlTheory]
    [MemberData(nameof(Overlay.Data), MemberType = typeof(Overlay))]
    public void Namespace_RefusesPodsThatAskForMore(string name) =>
        Assert.Equal("restricted", Overlay.Of(name).One<V1Namespace>().Metadata.Labels["pod-security.kubernetes.io/enforce"]);
}
