using k8s;
using k8s.Models;

namespace Distributed.Kubernetes.Tests;

/// <summary>Every field is known to the API, and every name that is used leads somewhere.</summary>
public sealed class ManifestTests
{
    [Fact]
    public void Overlays_AreTheDocumentedOnes() => Assert.Equal(["cpu", "gpu", "local"], Overlay.Names);

    [KubectlTheory]
    [MemberData(nameof(Overlay.Data), MemberType = typeof(Overlay))]
    public void Render_Objects_AreKnownNamedAndInOneNamespace(string name)
    {
        var objects = Overlay.Of(name).Objects;
        Assert.Equal(objects.Count, objects.DistinctBy(o => (o.Kind, o.Metadata.Name)).Count());
        Assert.All(objects, o => Assert.False(string.IsNullOrEmpty(o.Metadata.Name), $"{o.Kind} has no name"));
        Assert.All(objects, o => Assert.True(
            o.Metadata.NamespaceProperty == (o is V1Namespace or V1PersistentVolume ? null : "dtrain"), $"{o.Kind} {o.Metadata.Name}"));
        Assert.Equal("dtrain", Overlay.Of(name).One<V1Namespace>().Metadata.Name);
    }

    [KubectlFact]
    public void Render_UnknownField_IsAnError()
    {
        var text = Kubectl.Render("overlays/cpu");
        Assert.Contains("readOnlyRootFilesystem: true", text, StringComparison.Ordinal);
        var misspelt = text.Replace("readOnlyRootFilesystem: true", "readOnlyRootFileSystem: true", StringComparison.Ordinal);
        Assert.ThrowsAny<Exception>(() => KubernetesYaml.LoadAllFromString(misspelt, null, strict: true));
    }

    [KubectlTheory]
    [MemberData(nameof(Overlay.Data), MemberType = typeof(Overlay))]
    public void References_LeadToObjectsOfTheOverlay(string name)
    {
        var overlay = Overlay.Of(name);
        overlay.One<V1Service>(overlay.Silos.Spec.ServiceName);
        overlay.One<V1ServiceAccount>(overlay.Pod.ServiceAccountName);
        overlay.One<V1Role>(overlay.One<V1RoleBinding>().RoleRef.Name);
        overlay.One<V1ConfigMap>("dtrain-membership");
        Assert.All(overlay.Pod.Volumes.Where(v => v.PersistentVolumeClaim is not null), v => overlay.One<V1PersistentVolumeClaim>(
            v.PersistentVolumeClaim.ClaimName));
        Assert.All(overlay.Silo.VolumeMounts, mount => Assert.Single(overlay.Pod.Volumes, volume => volume.Name == mount.Name));
        Assert.Equal(overlay.Pod.Volumes.Count, overlay.Silo.VolumeMounts.Count);
        Assert.All(overlay.Silo.Env.Where(e => e.ValueFrom is not null), e => Assert.NotNull(e.ValueFrom.FieldRef));
        foreach (var claim in overlay.All<V1PersistentVolumeClaim>().Where(claim => claim.Spec.VolumeName is not null))
        {
            var volume = overlay.One<V1PersistentVolume>(claim.Spec.VolumeName);
            Assert.Equal(claim.Spec.StorageClassName, volume.Spec.StorageClassName);
            Assert.Equal(claim.Spec.AccessModes, volume.Spec.AccessModes);
            Assert.Equal("Retain", volume.Spec.PersistentVolumeReclaimPolicy);
        }
    }

    [KubectlTheory]
    [MemberData(nameof(Overlay.Data), MemberType = typeof(Overlay))]
    public void Secrets_AreTheTwoThatTheSecretsFolderMakes(string name)
    {
        var overlay = Overlay.Of(name);
        Assert.Empty(overlay.All<V1Secret>());
        Assert.Equal(
            ["dtrain-tls", "dtrain-users"],
            overlay.Pod.Volumes.Where(v => v.Secret is not null).Select(v => v.Secret.SecretName).Order(StringComparer.Ordinal));
        Assert.DoesNotContain(overlay.Silo.EnvFrom, source => source.SecretRef is not null);
    }

    [KubectlTheory]
    [MemberData(nameof(Overlay.Data), MemberType = typeof(Overlay))]
    public void Selectors_TakeTheSilos(string name)
    {
        var overlay = Overlay.Of(name);
        List<IDictionary<string, string>> selectors =
        [
            overlay.Silos.Spec.Selector.MatchLabels,
            overlay.One<V1PodDisruptionBudget>().Spec.Selector.MatchLabels,
            Assert.Single(overlay.Pod.TopologySpreadConstraints).LabelSelector.MatchLabels,
            .. overlay.All<V1Service>().Select(service => service.Spec.Selector),
            .. overlay.All<V1NetworkPolicy>().Select(policy => policy.Spec.PodSelector.MatchLabels),
        ];
        Assert.True(selectors.Count >= 7);
        Assert.All(selectors, selector => Assert.True(selector.Count > 0 && overlay.TakesSilos(selector), string.Join(", ", selector)));
    }

    [KubectlTheory]
    [MemberData(nameof(Overlay.Data), MemberType = typeof(Overlay))]
    public void Services_LeadToPortsThatTheSiloOpens(string name)
    {
        var overlay = Overlay.Of(name);
        Assert.All(
            overlay.All<V1Service>().SelectMany(service => service.Spec.Ports),
            port => Assert.Equal(port.Port, overlay.Port(port.TargetPort.Value)));
        Assert.Equal(overlay.Settings["DTRAIN_PORT"], $"{overlay.Port("grpc")}");
        Assert.Equal(overlay.Settings["DTRAIN_SILO_PORT"], $"{overlay.Port("orleans")}");
        Assert.Equal(overlay.Settings["DTRAIN_EXCHANGE_PORT"], $"{overlay.Port("exchange")}");
        var headless = overlay.One<V1Service>(overlay.Silos.Spec.ServiceName);
        Assert.Equal(("None", true), (headless.Spec.ClusterIP, headless.Spec.PublishNotReadyAddresses));
        var endpoint = Assert.Single(overlay.One<V1Service>("dtrain").Spec.Ports);
        Assert.Equal(("grpc", 8443), (endpoint.TargetPort.Value, endpoint.Port));
    }

    /// <summary>What a new version writes must not undo what the silos wrote.</summary>
    [KubectlTheory]
    [MemberData(nameof(Overlay.Data), MemberType = typeof(Overlay))]
    public void Membership_IsAppliedWithoutData(string name)
    {
        var membership = Overlay.Of(name).One<V1ConfigMap>("dtrain-membership");
        Assert.Null(membership.Data);
        Assert.Null(membership.BinaryData);
        Assert.NotEqual(true, membership.Immutable);
    }
}
