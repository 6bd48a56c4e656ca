using Distributed.Testing;

[assembly: TestCollectionOrderer("Distributed.EndToEnd.Tests.TestOrder", "Distributed.EndToEnd.Tests")]

namespace Distributed.EndToEnd.Tests;

internal sealed class TestOrder() : LongestFirst(
    "CalmRun", "LossTests", "LostSiloTests", "LibtorchTests", "PodClusterTests",
    "JoinTests", "ToolsTests", "SignalTests", "KubernetesSiloTests", "GatewayTests");
