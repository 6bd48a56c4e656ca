using Distributed.Tests.Running;

[assembly: TestCollectionOrderer("Distributed.Grains.Tests.TestOrder", "Distributed.Grains.Tests")]

namespace Distributed.Grains.Tests;

internal sealed class TestOrder() : LongestFirst(
    "OutageTests", "StoreUnreachableTests", "CoordinatorExchangeTests", "CoordinatorTrainingTests", "ExchangeTunnelTests",
    "SecureClusterTests", "DrainTests", "EventRelayTests", "RequeueTests", "ResponsivenessTests");
