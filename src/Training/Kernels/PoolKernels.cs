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

    /// <param name="x">[2 rows, 2 columns, channels].</param>
    /// <param name="y">[rows, columns, channels].</param>
    /// <param name="winners">Which of the four it was, or that the gradient stops: [rows, columns, channels].</param>
    /// <param name="rows">Rows of the output, of all images together.</param>
    [MethodImpl(Hot)]
    public static void Forward(float* x, float* y, byte* winners, long rows, long columns, long channels)
    {
        var line = 2 * columns * channels;
        for (long row = 0; row < rows; row++, x += 2 * line)
            for (long column = 0; column < columns; column++)
            {
                var corner = x + (2 * column * channels);
                for (long c = 0; c < channels; c += Lanes, y += Lanes, winners += Lanes)
                {
                    var p = corner + c;
                    var (value, winner) = Pick(
                        Vector512.Load(p), Vector512.Load(p + channels), Vector512.Load(p + line), Vector512.Load(p + line + channels));
                    value.Store(y);
                    winner.Store(winners);
                }
            }
    }

    /// <inheritdoc cref="Forward(float*, float*, byte*, long, long, long)"/>
    [MethodImpl(Hot)]
    public static void Forward(ushort* x, ushort* y, byte* winners, long rows, long columns, long channels)
    {
        var line = 2 * columns * channels;
        for (long row = 0; row < rows; row++, x += 2 * line)
            for (long column = 0; column < columns; column++)
            {
                var corner = x + (2 * column * channels);
                for (long c = 0; c < channels; c += Lanes, y += Lanes, winners += Lanes)
                {
                    var p = corner + c;
                    var (value, winner) = Pick(Widen(p), Widen(p + channels), Widen(p + line), Widen(p + line + channels));
                    Narrow(value).Store(y);
                    winner.Store(winners);
                }
            }
    }

    /// <param name="g">Gradient of the output [rows, columns, channels].</param>
    /// <param name="winners">As the forward left it.</param>
    /// <param name="target">Gradient of the input [2 rows, 2 columns, channels], written as a whole.</param>
    [MethodImpl(Hot)]
    public static void Backward(float* g, byte* winners, float* target, long rows, long columns, long channels)
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
                    var gradient = Vector512.Load(g) + Vector512<float>.Zero;
                    Share(gradient, winner, 0).Store(p);
                    Share(gradient, winner, 1).Store(p + channels);
                    Share(gradient, winner, 2).Store(p + line);
                    Share(gradient, winner, 3).Store(p + line + channels);
                }
            }
    }

    /// <inheritdoc cref="Backward(float*, byte*, float*, long, long, long)"/>
    [MethodImpl(Hot)]
    public static void Backward(ushort* g, byte* winners, ushort* target, long rows, long columns, long channels)
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
                    var gradient = Widen(g) + Vector512<float>.Zero;
                    Narrow(Share(gradient, winner, 0)).Store(p);
                    Narrow(Share(gradient, winner, 1)).Store(p + channels);
                    Narrow(Share(gradient, winner, 2)).Store(p + line);
                    Narrow(Share(gradient, winner, 3)).Store(p + line + channels);
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

    /// <summary>16 bfloat16 as float32.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Widen(ushort* p) =>
        (Avx512F.ConvertToVector512UInt32(Vector256.Load(p)) << 16).AsSingle();

    /// <summary>float32 whose lower halves are zero as bfloat16.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<ushort> Narrow(Vector512<float> x) => Avx512F.ConvertToVector256UInt16(x.AsUInt32() >> 16);
}
