using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Distributed.Training.Kernels;

/// <summary>
/// Maximum over 2 x 2 and ReLU in one pass each way, for images with channels last: the values and gradients of libtorch's two operators,
/// bit for bit.
/// </summary>
/// <remarks>
/// libtorch keeps the place of each maximum in 8 bytes and reads everything twice; here it is one byte, which also says where ReLU stops
/// the gradient. The first of equal values wins, NaN wins over all, and a negative zero of a gradient becomes a positive one.
/// </remarks>
internal static unsafe class PoolKernels
{
    private const int Lanes = 16;
    private const int Stopped = 4;
    private const MethodImplOptions Hot = MethodImplOptions.AggressiveOptimization;

    public static bool IsSupported => Avx512F.IsSupported;

    /// <summary>Whether channels can be taken in whole vectors.</summary>
    public static bool Takes(long channels) => channels % Lanes == 0;

    /// <typeparam name="T"><c>float</c>, or <c>ushort</c> for bfloat16.</typeparam>
    /// <param name="x">[2 rows, 2 columns, channels].</param>
    /// <param name="y">[rows, columns, channels].</param>
    /// <param name="winners">Which of the four it was, or that the gradient stops: [rows, columns, channels].</param>
    /// <param name="rows">Rows of the output, of all images together.</param>
    [MethodImpl(Hot)]
    public static void Forward<T>(T* x, T* y, byte* winners, long rows, long columns, long channels)
        where T : unmanaged
    {
        var line = 2 * columns * channels;
        for (long row = 0; row < rows; row++, x += 2 * line)
            for (long column = 0; column < columns; column++)
            {
                var corner = x + (2 * column * channels);
                for (long c = 0; c < channels; c += Lanes, y += Lanes, winners += Lanes)
                {
                    var p = corner + c;
                    var (value, winner) = Pick(Load(p), Load(p + channels), Load(p + line), Load(p + line + channels));
                    Store(value, y);
                    winner.Store(winners);
                }
            }
    }

    /// <typeparam name="T">As in the forward.</typeparam>
    /// <param name="g">Gradient of the output [rows, columns, channels].</param>
    /// <param name="winners">As the forward left it.</param>
    /// <param name="target">Gradient of the input [2 rows, 2 columns, channels], written as a whole.</param>
    [MethodImpl(Hot)]
    public static void Backward<T>(T* g, byte* winners, T* target, long rows, long columns, long channels)
        where T : unmanaged
    {
        var line = 2 * columns * channels;
        for (long row = 0; row < rows; row++, target += 2 * line)
            for (long column = 0; column < columns; column++)
            {
                var corner = target + (2 * column * channels);
                for (long c = 0; c < channels; c += Lanes, g += Lanes, winners += Lanes)
                {
                    var p = corner + c;
                    var winner = Avx512F.ConvertToVector512Int32(Vector128.Load(winners));
                    var gradient = Load(g) + Vector512<float>.Zero;
                    Store(Share(gradient, winner, 0), p);
                    Store(Share(gradient, winner, 1), p + channels);
                    Store(Share(gradient, winner, 2), p + line);
                    Store(Share(gradient, winner, 3), p + line + channels);
                }
            }
    }

    /// <summary>Each image's [rows, columns] as [columns, rows].</summary>
    [MethodImpl(Hot)]
    public static void Transpose<T>(T* from, T* to, long images, long rows, long columns)
        where T : unmanaged
    {
        for (long image = 0; image < images; image++, from += rows * columns)
            for (long column = 0; column < columns; column++)
            {
                var p = from + column;
                for (long row = 0; row < rows; row++, p += columns) *to++ = *p;
            }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector512<float> Value, Vector128<byte> Winner) Pick(
        Vector512<float> first, Vector512<float> second, Vector512<float> third, Vector512<float> fourth)
    {
        var (value, winner) = (first, Vector512<int>.Zero);
        Take(ref value, ref winner, second, 1);
        Take(ref value, ref winner, third, 2);
        Take(ref value, ref winner, fourth, 3);
        var stops = Vector512.LessThanOrEqual(value, Vector512<float>.Zero).AsInt32();
        winner = Vector512.ConditionalSelect(stops, Vector512.Create(Stopped), winner);
        value = Vector512.ConditionalSelect(Vector512.LessThan(value, Vector512<float>.Zero), Vector512<float>.Zero, value);
        return (value, Avx512F.ConvertToVector128Byte(winner));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Take(ref Vector512<float> value, ref Vector512<int> winner, Vector512<float> other, int place)
    {
        var wins = Vector512.GreaterThan(other, value) | ~Vector512.Equals(other, other);
        value = Vector512.ConditionalSelect(wins, other, value);
        winner = Vector512.ConditionalSelect(wins.AsInt32(), Vector512.Create(place), winner);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Share(Vector512<float> gradient, Vector512<int> winner, int place) =>
        Vector512.ConditionalSelect(Vector512.Equals(winner, Vector512.Create(place)).AsSingle(), gradient, Vector512<float>.Zero);

    /// <summary>16 elements as float32.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Load<T>(T* p)
        where T : unmanaged =>
        typeof(T) == typeof(float)
            ? Vector512.Load((float*)p)
            : (Avx512F.ConvertToVector512UInt32(Vector256.Load((ushort*)p)) << 16).AsSingle();

    /// <summary>Values that came from elements of the type, so that nothing is rounded.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<T>(Vector512<float> x, T* p)
        where T : unmanaged
    {
        if (typeof(T) == typeof(float)) x.Store((float*)p);
        else Avx512F.ConvertToVector256UInt16(x.AsUInt32() >> 16).Store((ushort*)p);
    }
}
