using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Grains.Contracts;
using Distributed.Grains.Tests.Cluster;
using Distributed.Training.Exchange;
using Distributed.Training.Tests.Exchange;

namespace Distributed.Grains.Tests.Exchange;

public sealed class CoordinatorExchangeTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);
    private TrainingCluster cluster = null!;

    public static TheoryData<string, long[], int[], int> Cases => new()
    {
        { "one slice", [700, 13], [1, 1], 2 },
        { "one slice, three silos, uneven partials", [700, 13, 5000], [1, 1, 2], 12 },
        { "one bucket", [40_000, 64, 30_001], [1, 1], 8 },
        { "many buckets", [200_000, 5, 600_000, 77, 400_003], [2, 1], 4 },
        { "four partials a silo", [150_000, 5, 300_000], [1, 1], 31 },
        { "three micro-batches", [150_000, 5], [1, 1, 1], 3 },
        { "many small parameters", [.. Enumerable.Range(1, 200).Select(i => (long)(i * 37))], [1, 2], 5 },
    };

    public async Task InitializeAsync() => cluster = await TrainingCluster.Start(3);

    public async Task DisposeAsync() => await cluster.DisposeAsync();

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Exchange_SeveralSteps_IsBitwiseTheReference(string name, long[] sizes, int[] shares, int microBatches)
    {
        using var rig = new ExchangeRig(sizes, shares, microBatches);
        using var mesh = await CoordinatorMesh.Open(cluster, rig, overlap: name.Length % 2 == 0);
        for (var step = 1; step <= 5; step++)
        {
            var spoil = step == 3 ? 11 : -1;
            rig.Draw(step, spoil);
            mesh.Everywhere(silo => rig.Step(mesh.Exchanges[silo], step, Patience));
            for (var silo = 0; silo < rig.Silos; silo++) rig.Check(silo, step, spoil);
        }
    }

    [Fact]
    public async Task Release_OtherOrderInEachSilo_StillComesThrough()
    {
        using var rig = new ExchangeRig([200_000, 5, 400_000, 77], [1, 1], 2);
        using var mesh = await CoordinatorMesh.Open(cluster, rig);
        rig.Draw(1);
        mesh.Everywhere(silo =>
        {
            var exchange = mesh.Exchanges[silo];
            exchange.Begin(1, new(1 / 3f, 0.7f));
            var buckets = Enumerable.Range(0, rig.Plan.Buckets.Count);
            foreach (var bucket in silo == 0 ? buckets : buckets.Reverse()) exchange.Release(bucket);
            exchange.Complete(Patience);
        });
        for (var silo = 0; silo < rig.Silos; silo++) rig.Check(silo, 1);
    }

    [Fact]
    public async Task Complete_SiloIsSilent_CoordinatorNamesItAndWhoArrived()
    {
        var errors = new JobError?[3];
        var patience = TimeSpan.FromSeconds(1);
        // On a busy machine one of the others may be late, too.
        for (; errors[0]?.Silo != "silo-2" && patience < Patience; patience *= 4)
        {
            using var rig = new ExchangeRig([900_000], [1, 1, 1], 3);
            using var mesh = await CoordinatorMesh.Open(cluster, rig);
            rig.Draw(1);
            mesh.Everywhere(silo =>
            {
                if (silo != 2) errors[silo] = Record.Exception(() => rig.Step(mesh.Exchanges[silo], 1, patience)) is JobErrorException e ? e.Error : null;
            });
            // The next attempt opens it anew.
            await cluster.GrainsIn(0).GetGrain<ICoordinatorGrain>("rig").Close(3, errors[0] ?? new JobError(ErrorCodes.Internal, "The next attempt.", null, null, null, null));
        }

        Assert.Equal((ErrorCodes.Deadline, "silo-2", 2, "exchange", 1L), (errors[0]!.Code, errors[0]!.Silo, errors[0]!.Rank, errors[0]!.Phase, errors[0]!.Step));
        Assert.Equal(
            $"Step 1, phase exchange, bucket 0: no gradients from silo silo-2 for {patience.TotalSeconds / 4} s; silo silo-0, silo-1 arrived. Look at the log of the missing silo, then resume from the last checkpoint.",
            errors[0]!.Message);
        Assert.Equal(errors[0], errors[1]);
    }

    [Fact]
    public async Task Abort_OneSilo_ReasonReachesAllThatWait()
    {
        using var rig = new ExchangeRig([900_000], [1, 1, 1], 3);
        using var mesh = await CoordinatorMesh.Open(cluster, rig);
        rig.Draw(1);
        var reason = new JobError(ErrorCodes.DataInvalid, "Sample 7 of silo-2 is broken.", 2, "silo-2", "data", 1);
        var errors = new JobError?[3];
        mesh.Everywhere(silo =>
        {
            if (silo == 2) mesh.Exchanges[2].Abort(reason);
            else errors[silo] = Record.Exception(() => rig.Step(mesh.Exchanges[silo], 1, Patience)) is JobErrorException e ? e.Error : null;
        });
        Assert.All(errors[..2], error => Assert.Equal(reason, error));
    }
}
