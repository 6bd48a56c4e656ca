using System.Numerics;

namespace Distributed.Core.Samples;

/// <summary>
/// A random generator whose whole state follows from the job's seed and counters: never from a rank, a thread or a clock.
/// </summary>
/// <remarks>
/// xoshiro256** (Blackman, Vigna), its state drawn by SplitMix64 from a hash of the arguments. The bits are part of the product:
/// another stream would change the final weights of every job. A mutable struct: pass it by reference or keep it in one place.
/// </remarks>
public struct CounterRandom
{
    private const ulong Golden = 0x9E3779B97F4A7C15;

    private ulong s0, s1, s2, s3;

    /// <summary>The stream of one purpose; different arguments give unrelated streams.</summary>
    public CounterRandom(long seed, RandomPurpose purpose, long first = 0, long second = 0)
    {
        var hash = Mix((ulong)seed + Golden);
        hash = Mix((hash ^ (ulong)(int)purpose) + Golden);
        hash = Mix((hash ^ (ulong)first) + Golden);
        hash = Mix((hash ^ (ulong)second) + Golden);
        s0 = Mix(hash += Golden);
        s1 = Mix(hash += Golden);
        s2 = Mix(hash += Golden);
        s3 = Mix(hash + Golden);
    }

    public ulong NextUInt64()
    {
        var result = BitOperations.RotateLeft(s1 * 5, 7) * 9;
        var t = s1 << 17;
        s2 ^= s0;
        s3 ^= s1;
        s1 ^= s2;
        s0 ^= s3;
        s2 ^= t;
        s3 = BitOperations.RotateLeft(s3, 45);
        return result;
    }

    /// <summary>Uniform in [0, bound), without bias.</summary>
    /// <param name="bound">At least 1.</param>
    /// <remarks>Lemire's multiplication with rejection.</remarks>
    public int NextInt(int bound)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bound);
        var range = (uint)bound;
        var product = (NextUInt64() >> 32) * range;
        if ((uint)product < range)
        {
            var threshold = (0u - range) % range;
            while ((uint)product < threshold) product = (NextUInt64() >> 32) * range;
        }

        return (int)(product >> 32);
    }

    /// <summary>Uniform in [0, 1): a multiple of 2^-53.</summary>
    public double NextDouble() => (NextUInt64() >> 11) * (1.0 / (1UL << 53));

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
