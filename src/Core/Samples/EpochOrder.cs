namespace Distributed.Core.Samples;

/// <summary>The order in which an epoch visits the samples.</summary>
public static class EpochOrder
{
    /// <summary>A uniform permutation of 0..count-1, a function of its arguments alone (Fisher-Yates).</summary>
    /// <param name="epoch">Counts from 0.</param>
    public static int[] Permutation(int count, long seed, long epoch)
    {
        var order = new int[count];
        var random = new CounterRandom(seed, RandomPurpose.Shuffle, epoch);
        for (var i = 0; i < count; i++)
        {
            var j = random.NextInt(i + 1);
            order[i] = order[j];
            order[j] = i;
        }

        return order;
    }
}
