using Distributed.Training.Exchange;

namespace Distributed.Testing.Training;

/// <summary>
/// What every exchange must do: the sums of the slow reference, bit by bit, whatever the sizes, the ranks and the order of buckets.
/// </summary>
internal static class ExchangeConformance
{
    private const int Steps = 4;

    /// <summary>Sizes of the parameters, ranks by silo, micro-batches.</summary>
    public static TheoryData<string, long[], int[], int> AcrossSilos => new()
    {
        { "one slice", [700, 13], [1, 1], 2 },
        { "one slice, three silos, uneven partials", [700, 13, 5000], [1, 1, 2], 12 },
        { "one bucket", [40_000, 64, 30_001], [1, 1], 8 },
        { "many buckets", [100_000, 5, 250_000, 77, 200_003], [2, 1], 8 },
        { "many ranks in a silo", [100_000, 5, 250_000, 77, 200_003], [3, 2], 20 },
        { "many partials in a silo", [150_000, 5, 300_000], [1, 1], 31 },
        { "four silos", [150_000, 5, 120_000, 77], [1, 1, 1, 1], 12 },
        { "three micro-batches", [150_000, 5], [1, 1, 1], 3 },
        { "many small parameters", [.. Enumerable.Range(1, 200).Select(i => (long)(i * 37))], [1, 2], 5 },
    };

    /// <summary>As <see cref="AcrossSilos"/>.</summary>
    public static TheoryData<string, long[], int[], int> WithinASilo => new()
    {
        { "one rank", [700, 13], [1], 2 },
        { "more ranks than blocks", [700, 13], [3], 12 },
        { "uneven partials", [100_000, 5, 200_000, 77], [3], 31 },
        { "many small parameters", [.. Enumerable.Range(1, 200).Select(i => (long)(i * 37))], [2], 5 },
    };

    /// <summary>
    /// Runs steps, one of them with an infinite gradient, each in another order of buckets, and compares all that comes out.
    /// </summary>
    /// <param name="exchanges">By silo of the rig.</param>
    public static void Holds(ExchangeRig rig, IReadOnlyList<IGradientExchange> exchanges)
    {
        for (var step = 1; step <= Steps; step++)
        {
            var spoil = step == 3 ? 11 : -1;
            rig.Draw(step, spoil);
            Everywhere(rig.Silos, silo => rig.Step(
                silo, exchanges[silo], step, TimeSpan.FromMinutes(5), Order(exchanges[silo].Buckets.Count, step, silo)));
            for (var silo = 0; silo < rig.Silos; silo++) rig.Check(silo, step, spoil);
        }
    }

    /// <summary>Runs something for all silos at once, each on a thread of its own.</summary>
    public static void Everywhere(int silos, Action<int> action)
    {
        var raised = new Exception?[silos];
        var threads = Enumerable.Range(0, silos).Select(silo => new Thread(() => raised[silo] = Record.Exception(() => action(silo))))
            .ToList();
        threads.ForEach(t => t.Start());
        threads.ForEach(t => t.Join());
        Assert.All(raised, Assert.Null);
    }

    /// <summary>As they lie, the other way round, or mixed.</summary>
    private static IEnumerable<int> Order(int buckets, int step, int silo)
    {
        int[] order = [.. Enumerable.Range(0, buckets)];
        if (step % 3 == 1) return order;
        if (step % 3 == 2) return order.Reverse();
        new Random(step + silo).Shuffle(order);
        return order;
    }
}
