using Distributed.Client.Outcomes;

namespace Distributed.Client.Silo;

/// <summary>
/// The silo processes of one run, joined to one cluster on this machine. Calls go to the first; each has a lifeline of its own.
/// </summary>
internal sealed class SiloGroup : IAsyncDisposable
{
    private readonly SiloProcess?[] silos;

    private SiloGroup(int count) => silos = new SiloProcess?[count];

    /// <summary>The first to start: it holds the job's grains and the membership of the others.</summary>
    public SiloProcess First => silos[0]!;

    private IEnumerable<SiloProcess> Started => silos.OfType<SiloProcess>();

    private IEnumerable<SiloProcess> Others => Started.Skip(1);

    /// <summary>Most memory that one of the silos has had. In bytes; null where the system does not say.</summary>
    public long? PeakMemory => Started.Max(silo => silo.PeakMemory);

    /// <summary>A silo other than the first that has ended; null while all live.</summary>
    public SiloProcess? Lost => Others.FirstOrDefault(silo => silo.HasEnded);

    /// <summary>Starts the first silo, then the others at once, and waits until all answer calls.</summary>
    /// <param name="orders">In the order of the ranks; what they join is filled in.</param>
    /// <exception cref="CommandFailure">
    /// One of them could not start, refused, ended or kept silent past the deadline; none is left.
    /// </exception>
    public static async Task<SiloGroup> StartAsync(
        string executable, IReadOnlyList<SiloOrder> orders, Func<SiloOrder, SiloLog> log, TimeSpan deadline, TimeProvider time,
        CancellationToken cancel)
    {
        SiloGroup group = new(orders.Count);
        try
        {
            group.silos[0] = await SiloProcess.StartAsync(executable, orders[0], log(orders[0]), deadline, time, cancel);
            using var failed = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            await Task.WhenAll(Enumerable.Range(1, orders.Count - 1).Select(JoinAsync));
            return group;

            async Task JoinAsync(int index)
            {
                var order = orders[index] with { Primary = group.First.Reply.Endpoint };
                try
                {
                    group.silos[index] = await SiloProcess.StartAsync(executable, order, log(order), deadline, time, failed.Token);
                }
                catch (CommandFailure)
                {
                    await failed.CancelAsync();
                    throw;
                }
            }
        }
        catch
        {
            await group.DisposeAsync();
            throw;
        }
    }

    /// <summary>Completes when a silo other than the first has ended; never, when there is none.</summary>
    public async Task OneIsLostAsync(CancellationToken cancel) =>
        await await Task.WhenAny(
            Others.Select(silo => silo.EndedAsync(cancel)).Append(Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancel)));

    public void Kill()
    {
        foreach (var silo in Started) silo.Kill();
    }

    public async ValueTask DisposeAsync() => await Task.WhenAll(Started.Select(silo => silo.DisposeAsync().AsTask()));
}
