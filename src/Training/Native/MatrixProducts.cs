using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Distributed.Training.Native;

/// <summary>
/// Has libtorch's float32 matrix products computed by oneDNN where <see cref="ProductTable"/> says so: in any module, forward and backward.
/// </summary>
/// <remarks>
/// libtorch's operators end in calls of BLAS functions that go through its own call table. The places there are given functions
/// with the same meaning (<see cref="ProductCalls"/>), which hand large products to oneDNN and all others to the ones that were there.
/// Operators, checks of shapes and autograd's graph stay as they are.
/// </remarks>
internal static class MatrixProducts
{
    /// <summary>Whether <see cref="Install"/> has led products to oneDNN.</summary>
    public static bool IsInstalled { get; private set; }

    /// <value>What a fingerprint says of them; empty where libtorch chooses itself.</value>
    public static string Fingerprint => IsInstalled ? "; float32 products by oneDNN" : "";

    /// <summary>Leads products to oneDNN where that is right for this machine, and tries them; once, before others use libtorch.</summary>
    /// <param name="libtorch">Handle of a library that depends on the one with the operators.</param>
    public static NativeCheck Install(nint libtorch)
    {
        const string name = "float32 products";
        if (!ProductTable.IsForThisMachine) return new NativeCheck(name, true, "by libtorch's BLAS, which suits this processor", null);
        var obstacle = ProductCalls.Find(libtorch);
        if (obstacle is null)
        {
            ProductCalls.Lead(true);
            obstacle = Test();
            IsInstalled = obstacle is null;
            ProductCalls.Lead(IsInstalled);
        }
        return obstacle is null
            ? new NativeCheck(name, true, $"by oneDNN from {ProductTable.LeastWork:N0} multiply-adds, else by libtorch's BLAS", null)
            : new NativeCheck(name, true, $"by libtorch's BLAS ({obstacle}); oneDNN's would be faster on this processor", null);
    }

    /// <summary>target = left right, for some of the rows of a product: by the library that computes the whole.</summary>
    /// <param name="left">[rows, depth].</param>
    /// <param name="right">[depth, columns].</param>
    /// <param name="target">[rows, columns], dense.</param>
    /// <param name="wholeRows">Rows of the product that this is a part of.</param>
    public static void MultiplyPart(Tensor left, Tensor right, Tensor target, long wholeRows)
    {
        if (IsInstalled && left.dtype == ScalarType.Float32 && ProductTable.IsFor(1, wholeRows, right.shape[1], right.shape[0]))
            ProductCalls.Compute(left, right, target);
        else
            Aten.MatrixProduct(left, right, target);
    }

    /// <summary>Has libtorch compute with its BLAS alone until disposed; for benches and tests, while nobody else computes.</summary>
    public static ShippedProducts Shipped() => new();

    /// <summary>Products of whole numbers, which are exact whatever the order of their sums.</summary>
    private static string? Test()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        return TestProducts() ?? TestBatches();
    }

    private static string? TestProducts()
    {
        const int side = 256;
        Tensor x = Whole(5, side, side), y = Whole(7, side, side), z = Whole(3, side);
        (Tensor Left, Tensor Right)[] forms = [(x, y), (x.t(), y), (x, y.t()), (x.t(), y.t())];
        foreach (var (left, right) in forms)
            if (Wrong(() => left.mm(right), () => Double(left).mm(Double(right))) is { } wrong) return wrong;
        // C + A B, with the row z in every row of C.
        return Wrong(() => z.addmm(x, y, 1, 1), () => Double(z).addmm(Double(x), Double(y), 1, 1));
    }

    private static string? TestBatches()
    {
        Tensor x = Whole(5, 16, 128, 64), y = Whole(7, 16, 64, 128), z = Whole(3, 128, 128);
        (Tensor Left, Tensor Right)[] forms = [(x, y), (x, x.transpose(1, 2)), (y.transpose(1, 2), y)];
        foreach (var (left, right) in forms)
            if (Wrong(() => left.bmm(right), () => Double(left).bmm(Double(right))) is { } wrong) return wrong;
        // TorchSharp takes the two factors first and the summand last.
        return Wrong(() => x.baddbmm(y, z, 1, 0.5f), () => Double(x).baddbmm(Double(y), Double(z), 1, 0.5f));
    }

    /// <param name="exact">The same in double precision, where neither library is asked.</param>
    private static string? Wrong(Func<Tensor> product, Func<Tensor> exact)
    {
        var before = ProductCalls.Taken;
        using var found = product();
        if (ProductCalls.Taken == before) return "products do not go through its call table";
        return Double(found).eq(exact()).all().item<bool>() ? null : "oneDNN gave a wrong product";
    }

    private static Tensor Whole(int modulus, params long[] shape)
    {
        // Held while the native calls read them.
        using Scalar divisor = modulus, half = modulus / 2;
        return arange(shape.Aggregate(1L, (all, one) => all * one), ScalarType.Float32).remainder(divisor).sub(half).reshape(shape);
    }

    private static Tensor Double(Tensor x) => x.to_type(ScalarType.Float64);

    /// <summary>See <see cref="Shipped"/>.</summary>
    internal readonly struct ShippedProducts : IDisposable
    {
        public ShippedProducts()
        {
            if (IsInstalled) ProductCalls.Lead(false);
        }

        public void Dispose()
        {
            if (IsInstalled) ProductCalls.Lead(true);
        }
    }
}
