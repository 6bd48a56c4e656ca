using Distributed.Testing;

[assembly: TestCollectionOrderer("Distributed.Grains.Tests.TestOrder", "Distributed.Grains.Tests")]

namespace Distributed.Grains.Tests;

internal sealed class TestOrder() : LongestFirst("CoordinatorExchangeTests", "CoordinatorTrainingTests", "RequeueTests");
