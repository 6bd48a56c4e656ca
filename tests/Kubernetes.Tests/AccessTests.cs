using k8s.Models;

namespace Distributed.Kubernetes.Tests;

/// <summary>What the silos may ask of the API server.</summary>
public sealed class AccessTests
{
    [KubectlTheory]
    [MemberData(nameof(Overlay.Data), MemberType = typeof(Overlay))]
    public void Role_GrantsPodsAndOneConfigMapAndNothingElse(string name)
    {
        var overlay = Overlay.Of(name);
        var rules = overlay.One<V1Role>().Rules;
        Assert.All(rules, rule => Assert.Equal([""], rule.ApiGroups));
        Assert.All(rules, rule => Assert.Null(rule.NonResourceURLs));
        Assert.Collection(
            rules,
            pods =>
            {
                Assert.Equal(["pods"], pods.Resources);
                Assert.Equal(["get", "list", "watch"], pods.Verbs.Order(StringComparer.Ordinal));
            },
            membership =>
            {
                Assert.Equal(["configmaps"], membership.Resources);
                Assert.Equal(["dtrain-membership"], membership.ResourceNames);
                Assert.Equal(["get", "update"], membership.Verbs.Order(StringComparer.Ordinal));
            });
        Assert.Empty(overlay.All<V1ClusterRole>());
        Assert.Empty(overlay.All<V1ClusterRoleBinding>());
    }

    [KubectlTheory]
    [MemberData(nameof(Overlay.Data), MemberType = typeof(Overlay))]
    public void Role_IsBoundToTheSilosAccountAlone(string name)
    {
        var overlay = Overlay.Of(name);
        var binding = overlay.One<V1RoleBinding>();
        Assert.Equal("Role", binding.RoleRef.Kind);
        var subject = Assert.Single(binding.Subjects);
        Assert.Equal(("ServiceAccount", overlay.Pod.ServiceAccountName, "dtrain"), (subject.Kind, subject.Name, subject.NamespaceProperty));
    }

    [KubectlTheory]
    [MemberData(nameof(Overlay.Data), MemberType = typeof(Overlay))]
    public void Token_IsMountedForTheSilosAlone(string name)
    {
        var overlay = Overlay.Of(name);
        Assert.False(overlay.One<V1ServiceAccount>().AutomountServiceAccountToken);
        Assert.True(overlay.Pod.AutomountServiceAccountToken);
    }
}
