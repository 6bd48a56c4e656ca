using Distributed.Testing;

[assembly: TestCollectionOrderer("Distributed.Silo.Tests.TestOrder", "Distributed.Silo.Tests")]

namespace Distributed.Silo.Tests;

internal sealed class TestOrder() : LongestFirst(
    "OutageTests", "StoreUnreachableTests", "ExchangeTunnelTests", "SecureClusterTests", "DrainTests", "EventRelayTests",
    "ResponsivenessTests");
