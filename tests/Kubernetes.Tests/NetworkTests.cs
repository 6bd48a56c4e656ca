using System.Globalization;
using k8s.Models;

namespace Distributed.Kubernetes.Tests;

/// <summary>Who reaches a silo, and whom a silo reaches.</summary>
public sealed class NetworkTests
{
    [KubectlTheory]
    [MemberData(nameof(Overlay.Data), MemberType = typeof(Overlay))]
    public void Silos_AreClosedBothWaysByDefault(string name)
    {
        var closed = Overlay.Of(name).One<V1NetworkPolicy>("dtrain-closed").Spec;
        Assert.Equal(["Egress", "Ingress"], closed.PolicyTypes.Order(StringComparer.Ordinal));
        Assert.Null(closed.Ingress);
        Assert.Null(closed.Egress);
    }

    [KubectlTheory]
    [MemberData(nameof(Overlay.Data), MemberType = typeof(Overlay))]
    public void OrleansAndExchange_TakeSilosAlone(string name)
    {
        var overlay = Overlay.Of(name);
        var rules = overlay.All<V1NetworkPolicy>().SelectMany(policy => policy.Spec.Ingress ?? []).ToList();
        foreach (var inner in new[] { overlay.Port("orleans"), overlay.Port("exchange") })
        {
            // A rule without ports opens every port.
            var rule = Assert.Single(rules, rule => rule.Ports is null || Ports(rule.Ports).Contains(inner));
            AssertSilosAlone(overlay, rule.FromProperty);
        }
    }

    [KubectlTheory]
    [MemberData(nameof(Overlay.Data), MemberType = typeof(Overlay))]
    public void Endpoint_TakesTheNamespaceAndLabelledClients(string name)
    {
        var overlay = Overlay.Of(name);
        var rule = Assert.Single(
            overlay.One<V1NetworkPolicy>("dtrain-silos").Spec.Ingress, rule => Ports(rule.Ports).Contains(overlay.Port("grpc")));
        Assert.Equal([overlay.Port("grpc")], Ports(rule.Ports));
        Assert.Collection(
            rule.FromProperty,
            own => Assert.True(own is { NamespaceSelector: null, IpBlock: null, PodSelector.MatchLabels: null }),
            labelled => Assert.Equal("true", labelled.PodSelector.MatchLabels["dtrain/client"]));
    }

    [KubectlFact]
    public void Endpoint_OfTheLocalOverlayAlone_OpensToTheOutside()
    {
        Assert.All(Overlay.Names, name =>
        {
            var outside = Overlay.Of(name).All<V1NetworkPolicy>().SelectMany(p => p.Spec.Ingress ?? [])
                .Where(rule => rule.FromProperty.Any(peer => peer.IpBlock is not null)).ToList();
            var types = Overlay.Of(name).All<V1Service>().Select(service => service.Spec.Type).ToList();
            Assert.Equal(name == "local", types.Contains("NodePort"));
            Assert.DoesNotContain("LoadBalancer", types);
            if (name == "local") Assert.Equal([Overlay.Of(name).Port("grpc")], Ports(Assert.Single(outside).Ports));
            else Assert.Empty(outside);
        });
    }

    [KubectlTheory]
    [MemberData(nameof(Overlay.Data), MemberType = typeof(Overlay))]
    public void Silos_ReachOneAnotherNamesAndTheApiServer(string name)
    {
        var overlay = Overlay.Of(name);
        var rules = overlay.All<V1NetworkPolicy>().SelectMany(policy => policy.Spec.Egress ?? []).ToList();
        Assert.Equal(
            [53, 443, 6443, overlay.Port("orleans"), overlay.Port("exchange")],
            rules.SelectMany(rule => Ports(rule.Ports)).Distinct().Order());
        var silos = Assert.Single(rules, rule => Ports(rule.Ports).Contains(overlay.Port("orleans")));
        Assert.Contains(overlay.Port("exchange"), Ports(silos.Ports));
        AssertSilosAlone(overlay, silos.To);
        // Only the API server, which no selector can name, is given by its ports alone.
        Assert.Equal([443, 6443], Ports(Assert.Single(rules, rule => rule.To is null).Ports));
    }

    private static void AssertSilosAlone(Overlay overlay, IList<V1NetworkPolicyPeer>? peers)
    {
        var peer = Assert.Single(peers!);
        Assert.Null(peer.IpBlock);
        Assert.Null(peer.NamespaceSelector);
        Assert.Equal(overlay.Silos.Spec.Selector.MatchLabels, peer.PodSelector.MatchLabels);
    }

    private static List<int> Ports(IList<V1NetworkPolicyPort> ports) =>
        [.. ports.Select(port => int.Parse(port.Port.Value, CultureInfo.InvariantCulture)).Distinct()];
}
