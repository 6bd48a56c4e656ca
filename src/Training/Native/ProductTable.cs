using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Distributed.Training.Native;

/// <summary>
/// Which library computes a float32 matrix product: a function of the processor and the shape alone, so that bits never depend on a clock.
/// </summary>
/// <remarks>
/// libtorch brings two: MKL, which it calls itself, and oneDNN. On AMD's processors MKL stays with AVX2 kernels. The bounds are
/// measured on one thread of a Zen 4 (bench/results, ADR 0048); below them the cost of a call to oneDNN, some 15 us, outweighs its lead.
/// </remarks>
internal static class ProductTable
{
    /// <summary>Multiply-adds from which a product of matrices, or a batch of them, is oneDNN's.</summary>
    public const long LeastWork = 1L << 24;

    private const string Amd = "AuthenticAMD";

    /// <summary>Whether oneDNN computes any products on this machine.</summary>
    public static bool IsForThisMachine => Avx512F.IsSupported && IsFor(Vendor, Avx512F.IsSupported);

    /// <param name="vendor">As the instruction CPUID spells it.</param>
    public static bool IsFor(string vendor, bool hasAvx512) => hasAvx512 && vendor == Amd;

    /// <summary>Whether oneDNN is the faster one for so many products of [rows, depth] and [depth, columns].</summary>
    public static bool IsFor(long count, long rows, long columns, long depth) =>
        rows > 1 && columns > 1 && count * rows * columns * depth >= LeastWork;

    /// <value>Empty on processors without CPUID.</value>
    private static string Vendor
    {
        get
        {
            if (!X86Base.IsSupported) return "";
            var (_, b, c, d) = X86Base.CpuId(0, 0);
            ReadOnlySpan<int> words = [b, d, c];
            return System.Text.Encoding.ASCII.GetString(MemoryMarshal.AsBytes(words));
        }
    }
}
