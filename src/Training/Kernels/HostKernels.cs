using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Distributed.Training.Kernels;

/// <summary>
/// Elementwise gradient arithmetic on host memory. Every element is rounded as IEEE says, so cutting the work changes no bit.
/// </summary>
internal static unsafe class HostKernels
{
    private const int Lanes = 16;
    private const uint ExponentMask = 0x7f800000;

    // Full optimisation from the first call: the first steps of a run are steps like all others.
    private const MethodImplOptions Hot = MethodImplOptions.AggressiveOptimization;

    /// <summary>target = source, widened to FP32.</summary>
    [MethodImpl(Hot)]
    public static void Load(GradientSource source, long at, float* target, long count)
    {
        long i = 0;
        if (source.IsBFloat16)
        {
            var p = (ushort*)source.Address + at;
            for (; i <= count - Lanes; i += Lanes) Widen(p + i).Store(target + i);
            for (; i < count; i++) target[i] = Widen1(p[i]);
            return;
        }
        var f = (float*)source.Address + at;
        if (f == target) return;
        Buffer.MemoryCopy(f, target, count * sizeof(float), count * sizeof(float));
    }

    /// <summary>target = left + right, in FP32; the target may be either operand.</summary>
    public static void Add(GradientSource left, GradientSource right, long at, float* target, long count)
    {
        if (left.IsBFloat16 && right.IsBFloat16) AddBB((ushort*)left.Address + at, (ushort*)right.Address + at, target, count);
        else if (left.IsBFloat16) AddBF((ushort*)left.Address + at, (float*)right.Address + at, target, count);
        else if (right.IsBFloat16) AddBF((ushort*)right.Address + at, (float*)left.Address + at, target, count);
        else AddFF((float*)left.Address + at, (float*)right.Address + at, target, count);
    }

    /// <summary>
    /// Multiplies by the inverse scale, then by the mean's factor, each rounded; reports whether a value was not finite before.
    /// </summary>
    /// <returns>True if an element of the scaled gradient is infinite or NaN.</returns>
    [MethodImpl(Hot)]
    public static bool CheckAndUnscale(float* x, long count, float inverseScale, float meanFactor)
    {
        var bad = Vector512<uint>.Zero;
        var mask = Vector512.Create(ExponentMask);
        var inverse = Vector512.Create(inverseScale);
        var mean = Vector512.Create(meanFactor);
        long i = 0;
        for (; i <= count - Lanes; i += Lanes)
        {
            var v = Vector512.Load(x + i);
            bad |= Vector512.Equals(v.AsUInt32() & mask, mask);
            (v * inverse * mean).Store(x + i);
        }
        var found = bad != Vector512<uint>.Zero;
        for (; i < count; i++)
        {
            found |= !float.IsFinite(x[i]);
            x[i] = x[i] * inverseScale * meanFactor;
        }
        return found;
    }

    /// <summary>Whether every element is finite.</summary>
    [MethodImpl(Hot)]
    public static bool AllFinite(float* x, long count)
    {
        var mask = Vector512.Create(ExponentMask);
        long i = 0;
        for (; i <= count - Lanes; i += Lanes)
            if (Vector512.EqualsAny(Vector512.Load((uint*)x + i) & mask, mask)) return false;
        for (; i < count; i++)
            if (!float.IsFinite(x[i])) return false;
        return true;
    }

    /// <summary>Sum of squares in FP64 with 16 fixed lanes; <paramref name="count"/> is a multiple of 16.</summary>
    [MethodImpl(Hot)]
    public static double SumOfSquares(float* x, int count)
    {
        var low = Vector512<double>.Zero;
        var high = Vector512<double>.Zero;
        for (var i = 0; i < count; i += Lanes)
        {
            var (a, b) = Vector512.Widen(Vector512.Load(x + i));
            low += a * a;
            high += b * b;
        }
        var lanes = low + high;
        var sum = 0.0;
        for (var k = 0; k < Vector512<double>.Count; k++) sum += lanes[k];
        return sum;
    }

    /// <summary>x *= factor.</summary>
    [MethodImpl(Hot)]
    public static void Scale(float* x, long count, float factor)
    {
        var f = Vector512.Create(factor);
        long i = 0;
        for (; i <= count - Lanes; i += Lanes) (Vector512.Load(x + i) * f).Store(x + i);
        for (; i < count; i++) x[i] *= factor;
    }

    [MethodImpl(Hot)]
    private static void AddFF(float* left, float* right, float* target, long count)
    {
        long i = 0;
        for (; i <= count - Lanes; i += Lanes) (Vector512.Load(left + i) + Vector512.Load(right + i)).Store(target + i);
        for (; i < count; i++) target[i] = left[i] + right[i];
    }

    [MethodImpl(Hot)]
    private static void AddBF(ushort* left, float* right, float* target, long count)
    {
        long i = 0;
        for (; i <= count - Lanes; i += Lanes) (Widen(left + i) + Vector512.Load(right + i)).Store(target + i);
        for (; i < count; i++) target[i] = Widen1(left[i]) + right[i];
    }

    [MethodImpl(Hot)]
    private static void AddBB(ushort* left, ushort* right, float* target, long count)
    {
        long i = 0;
        for (; i <= count - Lanes; i += Lanes) (Widen(left + i) + Widen(right + i)).Store(target + i);
        for (; i < count; i++) target[i] = Widen1(left[i]) + Widen1(right[i]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Widen(ushort* p)
    {
        var raw = Vector256.Load(p);
        var wide = Avx512F.IsSupported
            ? Avx512F.ConvertToVector512UInt32(raw)
            : Vector512.Create(Vector256.WidenLower(raw), Vector256.WidenUpper(raw));
        return (wide << 16).AsSingle();
    }

    private static float Widen1(ushort value) => BitConverter.UInt32BitsToSingle((uint)value << 16);
}
