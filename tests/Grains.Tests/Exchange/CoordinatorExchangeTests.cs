using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Grains.Contracts;
using Distributed.Grains.Tests.Cluster;
using Distributed.Testing.Training;
using Distributed.Training.Exchange;

namespace Distributed.Grains.Tests.Exchange;

public sealed class CoordinatorExchangeTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);
    private TrainingCluster cluster = null!;

    public static TheoryData<string, long[], int[], int> Cases => ExchangeConformance.AcrossSilos;

    public async Task InitializeAsync() => cluster = await TrainingCluster.Start(3);

    public async Task DisposeAsync() => await cluster.DisposeAsync();

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Exchange_SeveralSteps_IsBitwiseTheReference(string name, long[] sizes, int[] shares, int microBatches)
    {
        using var rig = new ExchangeRig(sizes, shares, microBatches);
        using var mesh = await CoordinatorMesh.Open(cluster, rig, overlap: name.Length % 2 == 0);
        ExchangeConformance.Holds(rig, mesh.Exchanges);
    }

    /// <summary>Ranks that wait pack slices, as on machines with cores for all of them.</summary>
    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Exchange_RanksPack_IsBitwiseTheReference(string name, long[] sizes, int[] shares, int microBatches)
    {
        using var rig = new ExchangeRig(sizes, shares, microBatches);
        using var mesh = await CoordinatorMesh.Open(cluster, rig, overlap: name.Length % 2 == 1, cores: 64);
        ExchangeConformance.Holds(rig, mesh.Exchanges);
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
                if (silo != 2)
                    errors[silo] = Record.Exception(() => rig.Step(silo, mesh.Exchanges[silo], 1, patience)) is JobErrorException e
                        ? e.Error
                        : null;
            });
            // The next attempt opens it anew.
            await cluster.GrainsIn(0).GetGrain<ICoordinatorGrain>("rig")
                .Close(new(3), errors[0] ?? new JobError(ErrorCodes.Internal, "The next attempt.", null, null, null, null));
        }

        Assert.Equal(
            (ErrorCodes.Deadline, "silo-2", 2, "exchange", 1L),
            (errors[0]!.Code, errors[0]!.Silo, errors[0]!.Rank?.Value, errors[0]!.Phase, errors[0]!.Step));
        Assert.Equal(
            $"Step 1, phase exchange, bucket 0: no gradients from silo silo-2 for {patience.TotalSeconds / 4} s; "
            + "silo silo-0, silo-1 arrived. Look at the log of the missing silo, then resume from the last checkpoint.",
            errors[0]!.Message);
        Assert.Equal(errors[0], errors[1]);
    }

    [Fact]
    public async Task Abort_OneSilo_ReasonReachesAllThatWait()
    {
        using var rig = new ExchangeRig([900_000], [1, 1, 1], 3);
        using var mesh = await CoordinatorMesh.Open(cluster, rig);
        rig.Draw(1);
        var reason = new JobError(ErrorCodes.DataInvalid, "Sample 7 of silo-2 is broken.", new(2), "silo-2", "data", 1);
        var errors = new JobError?[3];
        mesh.Everywhere(silo =>
        {
            if (silo == 2) mesh.Exchanges[2].Abort(reason);
            else errors[silo] = Record.Exception(() => rig.Step(silo, mesh.Exchanges[silo], 1, Patience)) is JobErrorException e
                ? e.Error
                : null;
        });
        Assert.All(errors[..2], error => Assert.Equal(reason, error));
    }
}
