using k8s.Models;
using YamlDotNet.RepresentationModel;

namespace Distributed.Kubernetes.Tests;

/// <summary>The two nodes on one machine for which the overlay <c>local</c> is made.</summary>
public sealed class KindTests
{
    private static readonly IReadOnlyList<YamlMappingNode> Nodes = Read();

    [Fact]
    public void Nodes_AreTwo() => Assert.Equal(["control-plane", "worker"], Nodes.Select(node => Text(node, "role")));

    [KubectlFact]
    public void Nodes_ShareTheFoldersOfTheVolumes()
    {
        var volumes = Overlay.Of("local").All<V1PersistentVolume>().Select(volume => volume.Spec.HostPath).ToList();
        Assert.Equal(2, volumes.Count);
        Assert.All(volumes, volume => Assert.Equal("Directory", volume.Type));
        foreach (var node in Nodes)
        {
            var mount = Assert.Single(List(node, "extraMounts"));
            Assert.Equal(Text(Nodes[0], "extraMounts", "hostPath"), Text(mount, "hostPath"));
            Assert.All(volumes, volume => Assert.StartsWith(Text(mount, "containerPath") + "/", volume.Path, StringComparison.Ordinal));
        }
    }

    [KubectlFact]
    public void Endpoint_IsReachedFromTheMachineAlone()
    {
        var overlay = Overlay.Of("local");
        var port = Assert.Single(overlay.One<V1Service>("dtrain-outside").Spec.Ports);
        var mapping = Assert.Single(List(Nodes[0], "extraPortMappings"));
        Assert.Equal(
            ($"{port.NodePort}", $"{overlay.Port("grpc")}", "127.0.0.1"),
            (Text(mapping, "containerPort"), Text(mapping, "hostPort"), Text(mapping, "listenAddress")));
    }

    [KubectlFact]
    public void Silos_MayRunOnTheNodeOfTheControlPlane() =>
        Assert.Contains(Overlay.Of("local").Pod.Tolerations, t =>
            (t.Key, t.OperatorProperty, t.Effect) == ("node-role.kubernetes.io/control-plane", "Exists", "NoSchedule"));

    private static List<YamlMappingNode> Read()
    {
        YamlStream stream = [];
        using var reader = new StringReader(Checkout.Read("k8s", "overlays", "local", "kind.yaml"));
        stream.Load(reader);
        return List((YamlMappingNode)stream.Documents[0].RootNode, "nodes");
    }

    private static List<YamlMappingNode> List(YamlMappingNode node, string key) =>
        [.. ((YamlSequenceNode)node[key]).Cast<YamlMappingNode>()];

    private static string Text(YamlMappingNode node, string key) => ((YamlScalarNode)node[key]).Value!;

    private static string Text(YamlMappingNode node, string list, string key) => Text(Assert.Single(List(node, list)), key);
}
