using Distributed.Testing;
using Distributed.Training.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Distributed.Training.Tests.Native;

/// <summary>A fact on products that oneDNN computes; skipped in plain sight where the processor is better served otherwise.</summary>
internal sealed class OneDnnFactAttribute : FactAttribute
{
    public OneDnnFactAttribute()
    {
        _ = NativeRuntime.Initialize();
        if (!MatrixProducts.IsInstalled) Skip = "products are computed by libtorch's BLAS on this processor";
    }
}

public sealed class MatrixProductsTests
{
    [Theory]
    [InlineData("AuthenticAMD", true, true)]
    [InlineData("AuthenticAMD", false, false)]
    [InlineData("GenuineIntel", true, false)]
    [InlineData("", false, false)]
    public void Table_Processor_Decides(string vendor, bool hasAvx512, bool expected) =>
        Assert.Equal(expected, ProductTable.IsFor(vendor, hasAvx512));

    [Theory]
    [InlineData(1, 256, 256, 256, true)]
    [InlineData(1, 255, 256, 256, false)]
    [InlineData(64, 128, 128, 32, true)]
    [InlineData(1, 128, 128, 32, false)]
    // A vector times a matrix moves bytes, which MKL does better.
    [InlineData(1, 1, 8192, 8192, false)]
    [InlineData(1, 8192, 1, 8192, false)]
    [InlineData(1, 100_000, 100_000, 100_000, true)]
    public void Table_Shape_Decides(long count, long rows, long columns, long depth, bool expected) =>
        Assert.Equal(expected, ProductTable.IsFor(count, rows, columns, depth));

    [OneDnnFact]
    public void Linear_StockModuleForwardAndBackward_GoesToOneDnnThreeTimes()
    {
        using var scope = NewDisposeScope();
        using var layer = nn.Linear(512, 512);
        var x = Draw(1, 128, 512).requires_grad_();
        var before = ProductCalls.Taken;
        layer.call(x).pow(2).sum().backward();
        Assert.Equal(3, ProductCalls.Taken - before);
        // The forward's product is on the calling thread, and so are those of a backward without a device.
        layer.call(x[..8]).sum().backward();
        Assert.Equal(3, ProductCalls.Taken - before);
    }

    /// <summary>Against double precision: neither library is asked there.</summary>
    [OneDnnFact]
    public void Products_OfEveryForm_AreRightToFloatPrecision()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        Tensor x = Draw(1, 300, 400), w = Draw(2, 350, 400), wide = Draw(3, 400, 900), bias = Draw(4, 350);
        Close(() => x.mm(w.t()), () => Double(x).mm(Double(w).t()));
        Close(() => nn.functional.linear(x, w, bias), () => nn.functional.linear(Double(x), Double(w), Double(bias)));
        Close(() => w.mm(x.t()), () => Double(w).mm(Double(x).t()));
        // Rows that do not lie one behind the other, on either side and in the result.
        Close(() => x.mm(wide.narrow(1, 7, 500)), () => Double(x).mm(Double(wide).narrow(1, 7, 500)));
        Close(() => wide.narrow(1, 7, 500).t().mm(x.t()), () => Double(wide).narrow(1, 7, 500).t().mm(Double(x).t()));
        Close(
            () =>
            {
                var target = zeros(300, 800);
                Aten.MatrixProduct(x, w.t(), target.narrow(1, 100, 350));
                return target;
            },
            () => cat([zeros(300, 100, ScalarType.Float64), Double(x).mm(Double(w).t()), zeros(300, 350, ScalarType.Float64)], 1));
    }

    [OneDnnFact]
    public void Batches_OfEveryForm_AreRightToFloatPrecision()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        Tensor q = Draw(1, 48, 100, 64), k = Draw(2, 48, 90, 64), heads = Draw(3, 48, 100, 128), mask = Draw(4, 100, 90);
        Close(() => q.bmm(k.transpose(1, 2)), () => Double(q).bmm(Double(k).transpose(1, 2)));
        Close(() => k.bmm(q.transpose(1, 2)), () => Double(k).bmm(Double(q).transpose(1, 2)));
        Close(() => q.transpose(1, 2).bmm(q), () => Double(q).transpose(1, 2).bmm(Double(q)));
        Close(() => heads.narrow(2, 3, 64).bmm(k.transpose(1, 2)), () => Double(heads).narrow(2, 3, 64).bmm(Double(k).transpose(1, 2)));
        Close(
            () => q.baddbmm(k.transpose(1, 2), mask, 1, 0.125f),
            () => Double(q).baddbmm(Double(k).transpose(1, 2), Double(mask), 1, 0.125f));
        // A factor that all products share does not lie at equal distances: libtorch's own way, and as right.
        Near(q.matmul(Draw(5, 64, 128)), Double(q).matmul(Double(Draw(5, 64, 128))));
        Near(q[..1].expand(48, 100, 64).bmm(k.transpose(1, 2)), Double(q[..1]).expand(48, 100, 64).bmm(Double(k).transpose(1, 2)));
    }

    [OneDnnFact]
    public void Products_SmallOrOfAnotherType_StayWithTheBlas()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        Tensor small = Draw(1, 128, 128), row = Draw(2, 1, 4096), square = Draw(3, 4096, 4096);
        var before = ProductCalls.Taken;
        small.mm(small);
        row.mm(square);
        Double(square[..512]).mm(Double(square[.., ..256]));
        square[..512, ..512].to_type(ScalarType.BFloat16).mm(square[..512, ..512].to_type(ScalarType.BFloat16));
        Assert.Equal(before, ProductCalls.Taken);
    }

    /// <summary>What is not finite is not lost, and what was in the result's memory does not come back.</summary>
    [OneDnnFact]
    public void Products_NotFinite_StayNotFinite()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        Tensor x = Draw(1, 256, 256), w = Draw(2, 256, 256), target = full([256, 256], float.NaN);
        Aten.MatrixProduct(x, w, target);
        Assert.True(target.isfinite().all().item<bool>());
        x[3, 5] = float.PositiveInfinity;
        w[9, 11] = float.NaN;
        var product = x.mm(w);
        Assert.False(product[3].isfinite().any().item<bool>());
        Assert.True(product[.., 11].isnan().all().item<bool>());
        Assert.True(product[4, ..11].isfinite().all().item<bool>());
    }

    [OneDnnFact]
    public void Products_OnAnyThread_HaveTheSameBits()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        Tensor x = Draw(1, 320, 640), w = Draw(2, 480, 640);
        var expected = x.mm(w.t()).bytes.ToArray();
        var found = new byte[4][];
        var threads = Enumerable.Range(0, found.Length).Select(i => new Thread(() =>
        {
            set_num_threads(1);
            for (var turn = 0; turn < 20; turn++)
            {
                using var product = x.mm(w.t());
                found[i] = product.bytes.ToArray();
                if (!found[i].AsSpan().SequenceEqual(expected)) return;
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        Assert.All(found, bytes => Assert.True(bytes.AsSpan().SequenceEqual(expected)));
    }

    private static Tensor Draw(ulong seed, params long[] shape)
    {
        using var random = new Generator(seed);
        return randn(shape, generator: random);
    }

    private static Tensor Double(Tensor x) => x.to_type(ScalarType.Float64);

    private static void Close(Func<Tensor> product, Func<Tensor> exact)
    {
        var before = ProductCalls.Taken;
        var found = product();
        Assert.Equal(1, ProductCalls.Taken - before);
        Near(found, exact());
    }

    private static void Near(Tensor found, Tensor exact) =>
        Assert.True((Double(found) - exact).abs().max().item<double>() <= 1e-5 * exact.abs().max().item<double>());
}
