using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Distributed.Training.Native;

/// <summary>The two BLAS functions of float32 products that libtorch calls, with oneDNN behind them for what is large.</summary>
/// <remarks>
/// No exception may leave these functions: libtorch calls them. oneDNN's raises one only where memory has run out, which ends the process.
/// </remarks>
internal static unsafe partial class ProductCalls
{
    private const string Library = "torch_cpu", One = "sgemm_", Batch = "cblas_sgemm_batch",
        OneDnn = "_ZN2at6native13mkldnn_matmulERKNS_6TensorES3_S3_ff", NewView = "aoti_torch_create_tensor_from_blob",
        DeleteTensor = "aoti_torch_delete_tensor_object";

    private const int Float32 = 6, Host = 0, InColumns = 102, Plain = 111, Transposed = 112;

    private static delegate* unmanaged[Cdecl]<
        byte*, byte*, int*, int*, int*, float*, float*, int*, float*, int*, float*, float*, int*, void> shippedOne;

    private static delegate* unmanaged[Cdecl]<
        int, int*, int*, int*, int*, int*, float*, float**, int*, float**, int*, float*, float**, int*, int, int*, void> shippedBatch;

    private static nint* placeOfOne, placeOfBatch;

    [ThreadStatic]
    private static long taken;

    /// <summary>Products of the calling thread that were oneDNN's.</summary>
    public static long Taken => taken;

    /// <returns>Null: all that is needed is there. Otherwise what is missing.</returns>
    public static string? Find(nint libtorch)
    {
        // The calls below would look these up inside libtorch, where no exception may pass.
        foreach (var needed in (string[])[OneDnn, NewView, DeleteTensor])
            if (!NativeLibrary.TryGetExport(libtorch, needed, out _)) return $"it has no {needed}";
        if (!NativeLibrary.TryGetExport(libtorch, One, out var one)) return $"it has no {One}";
        if (!NativeLibrary.TryGetExport(libtorch, Batch, out var batch)) return $"it has no {Batch}";
        try
        {
            placeOfOne = CallTable.Find(one);
            placeOfBatch = CallTable.Find(batch);
        }
        catch (EntryPointNotFoundException)
        {
            return "the system has no dladdr1";
        }
        if (placeOfOne is null || placeOfBatch is null) return "its call table cannot be written";
        shippedOne = (delegate* unmanaged[Cdecl]<
            byte*, byte*, int*, int*, int*, float*, float*, int*, float*, int*, float*, float*, int*, void>)one;
        shippedBatch = (delegate* unmanaged[Cdecl]<
            int, int*, int*, int*, int*, int*, float*, float**, int*, float**, int*, float*, float**, int*, int, int*, void>)batch;
        return null;
    }

    /// <summary>Leads calls here, or back.</summary>
    public static void Lead(bool here)
    {
        var one = (nint)(delegate* unmanaged[Cdecl]<
            byte*, byte*, int*, int*, int*, float*, float*, int*, float*, int*, float*, float*, int*, void>)&Gemm;
        var batch = (nint)(delegate* unmanaged[Cdecl]<
            int, int*, int*, int*, int*, int*, float*, float**, int*, float**, int*, float*, float**, int*, int, int*, void>)&GemmBatch;
        Volatile.Write(ref *placeOfOne, here ? one : (nint)shippedOne);
        Volatile.Write(ref *placeOfBatch, here ? batch : (nint)shippedBatch);
    }

    /// <summary>target = left right by oneDNN, for matrices of float32 whose shapes fit.</summary>
    public static void Compute(Tensor left, Tensor right, Tensor target) => Multiply(left.Handle, right.Handle, target.Handle, 0, 1);

    /// <summary>C = alpha op(A) op(B) + beta C: matrices in columns, as BLAS has them.</summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Gemm(
        byte* formA, byte* formB, int* m, int* n, int* k, float* alpha, float* a, int* lda, float* b, int* ldb, float* beta, float* c,
        int* ldc)
    {
        if (!ProductTable.IsFor(1, *m, *n, *k) || !IsKnown(*beta) || !Take(
            new Side(a, *lda, IsPlain(formA), 0), new Side(b, *ldb, IsPlain(formB), 0), new Side(c, *ldc, true, 0),
            new Shape(1, *m, *n, *k), *alpha, *beta))
            shippedOne(formA, formB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
    }

    /// <summary>The same for groups of products; libtorch passes one group, whose matrices mostly lie at equal distances.</summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void GemmBatch(
        int layout, int* formA, int* formB, int* m, int* n, int* k, float* alpha, float** a, int* lda, float** b, int* ldb, float* beta,
        float** c, int* ldc, int groups, int* count)
    {
        if (layout != InColumns || groups != 1 || !ProductTable.IsFor(*count, *m, *n, *k) || !IsKnown(*beta) || !IsKnown(*formA)
            || !IsKnown(*formB) || Distance(a, *count) is not { } stepA || Distance(b, *count) is not { } stepB
            || Distance(c, *count) is not { } stepC || !Take(
                new Side(*a, *lda, *formA == Plain, stepA), new Side(*b, *ldb, *formB == Plain, stepB), new Side(*c, *ldc, true, stepC),
                new Shape(*count, *m, *n, *k), *alpha, *beta))
            shippedBatch(layout, formA, formB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc, groups, count);
    }

    private static bool IsKnown(float beta) => beta is 0 or 1;

    private static bool IsKnown(int form) => form is Plain or Transposed;

    private static bool IsPlain(byte* form) => (*form | 0x20) == 'n';

    /// <returns>Elements from one matrix to the next; null: they do not lie one behind the other at equal distances.</returns>
    private static long? Distance(float** matrices, int count)
    {
        if (count == 1) return 0;
        var step = matrices[1] - matrices[0];
        for (var i = 2; i < count; i++)
            if (matrices[i] - matrices[i - 1] != step) return null;
        return step > 0 ? step : null;
    }

    /// <summary>What is C in columns is C^T = op(B)^T op(A)^T in rows.</summary>
    /// <returns>False: there was no memory for the descriptions, and nothing is written.</returns>
    private static bool Take(in Side a, in Side b, in Side c, in Shape shape, float alpha, float beta)
    {
        nint left = 0, right = 0, target = 0;
        var described = Describe(b, shape.Count, shape.N, shape.K, &left) && Describe(a, shape.Count, shape.K, shape.M, &right)
            && Describe(c, shape.Count, shape.N, shape.M, &target);
        if (described)
        {
            Multiply(left, right, target, beta, alpha);
            taken++;
        }
        foreach (var tensor in (ReadOnlySpan<nint>)[left, right, target])
            if (tensor != 0) _ = Delete(tensor);
        return described;
    }

    private static bool Describe(in Side side, long count, long rows, long columns, nint* tensor)
    {
        var sizes = stackalloc long[3] { count, rows, columns };
        var strides = stackalloc long[3] { side.Step, side.IsPlain ? side.Leading : 1, side.IsPlain ? 1 : side.Leading };
        var skip = side.Step == 0 ? 1 : 0;
        return View(side.Elements, 3 - skip, sizes + skip, strides + skip, 0, Float32, Host, 0, tensor) == 0;
    }

    // void at::native::mkldnn_matmul(const Tensor& left, const Tensor& right, const Tensor& result, float beta, float alpha)
    [LibraryImport(Library, EntryPoint = OneDnn)]
    private static partial void Multiply(nint left, nint right, nint target, float beta, float alpha);

    [LibraryImport(Library, EntryPoint = NewView)]
    private static partial int View(
        void* data, long dimensions, long* sizes, long* strides, long offset, int dtype, int deviceType, int device, nint* tensor);

    [LibraryImport(Library, EntryPoint = DeleteTensor)]
    private static partial int Delete(nint tensor);

    /// <param name="Address">Of the first matrix.</param>
    /// <param name="Leading">Elements from column to column.</param>
    /// <param name="IsPlain">Not to be transposed.</param>
    /// <param name="Step">Elements from matrix to matrix; 0: there is one.</param>
    private readonly record struct Side(nint Address, long Leading, bool IsPlain, long Step)
    {
        public Side(float* elements, long leading, bool isPlain, long step)
            : this((nint)elements, leading, isPlain, step)
        {
        }

        public float* Elements => (float*)Address;
    }

    private readonly record struct Shape(long Count, long M, long N, long K);
}
