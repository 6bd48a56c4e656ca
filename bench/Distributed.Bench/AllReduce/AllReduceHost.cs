using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Grains.Contracts;
using Distributed.Silo.Exchange;
using Distributed.Silo.Ranks;
using Distributed.Training.Exchange;

namespace Distributed.Bench.AllReduce;

/// <summary>Runs this silo's part of a timed run on threads of its own.</summary>
internal sealed class AllReduceHost(IGrainFactory grains, IExchangeWire wire) : IAllReduceHost
{
    private static readonly Generation Generation = Generation.First;

    /// <summary>The ways between silos that this build can go.</summary>
    public static IReadOnlyList<AllReduceWay> Ways { get; } = [AllReduceWay.Peer, AllReduceWay.PeerOverTcp, AllReduceWay.Coordinator];

    /// <summary>Lets a silo take part in timed runs.</summary>
    public static void AddTo(IServiceCollection services) => services.AddSingleton<IAllReduceHost, AllReduceHost>();

    public Task<AllReduceResult> Run(AllReduceOrder order)
    {
        var done = new TaskCompletionSource<AllReduceResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() => done.SetResult(RunOrExplain(order))) { IsBackground = true, Name = $"all-reduce {order.RunId}" }.Start();
        return done.Task;
    }

    private AllReduceResult RunOrExplain(AllReduceOrder order)
    {
        try
        {
            var (seconds, wrong) = Measure(order);
            return new AllReduceResult([.. seconds], wrong, null);
        }
        catch (JobErrorException e)
        {
            return new AllReduceResult([], 0, e.Error);
        }
        catch (JobException e)
        {
            return Failed(e.Code, e.Message);
        }
#pragma warning disable CA1031 // The thread's top: whatever happened goes to who asked.
        catch (Exception e)
#pragma warning restore CA1031
        {
            return Failed(ErrorCodes.Internal, $"{e.GetType().Name}: {e.Message}");
        }

        AllReduceResult Failed(string code, string message) =>
            new([], 0, new JobError(code, message, null, order.SiloName, "exchange", null));
    }

    private (double[] Seconds, long Wrong) Measure(AllReduceOrder order)
    {
        using var wait = new CoordinatorWait();
        var rendezvous = new CoordinatorRendezvous(
            grains.GetGrain<ICoordinatorGrain>(order.RunId), Generation, order.SiloName, order.Seat, order.MeetDeadline, wait);
        if (order.Way == AllReduceWay.Sockets)
        {
            using var raw = new RawExchangeRun(order.RanksBySilo.Length, order.Silo, order.Bytes, rendezvous);
            return (raw.Run(order.Iterations), 0);
        }
        using var run = new AllReduceRun(order.RanksBySilo, order.Silo, order.RunId, order.Bytes, Factory(order, rendezvous, wait));
        return run.Run(order.Iterations);
    }

    /// <returns>Null where there is one silo.</returns>
    /// <remarks>All buckets are there at once, so the waiting thread moves them: nothing runs beside it.</remarks>
    private IExchangeFactory? Factory(AllReduceOrder order, CoordinatorRendezvous rendezvous, CoordinatorWait wait) => order.Way switch
    {
        AllReduceWay.Memory => null,
        AllReduceWay.Peer => Peer(rendezvous, wire),
        AllReduceWay.PeerOverTcp => Peer(rendezvous, new DirectWire(inMemory: false)),
        _ => new CoordinatorExchangeFactory(rendezvous, grains.GetGrain<ICoordinatorExchange>(order.RunId), overlap: false, wait),
    };

    private static PeerExchangeFactory Peer(CoordinatorRendezvous rendezvous, IExchangeWire wire) =>
        new(rendezvous, wire, overlap: false, warning => Console.Error.WriteLine(warning));
}
