using Distributed.Grains.Placement;

namespace Distributed.Bench.AllReduce;

/// <summary>Starts the work on its silo's threads and answers with its end; no turn lasts.</summary>
[OnNamedSilo]
internal sealed class AllReduceGrain(IAllReduceHost host, TimeProvider time) : Grain, IAllReduceGrain
{
    private Task<AllReduceResult>? work;

    public Task Start(AllReduceOrder order)
    {
        work ??= host.Run(order);
        return Task.CompletedTask;
    }

    public async Task<AllReduceResult?> End(TimeSpan wait)
    {
        var mine = work ?? throw new InvalidOperationException($"{this.GetPrimaryKeyString()} was not started.");
        try
        {
            return await mine.WaitAsync(wait, time);
        }
        catch (TimeoutException)
        {
            return null;
        }
    }
}
