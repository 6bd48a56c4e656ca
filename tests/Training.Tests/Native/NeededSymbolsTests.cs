using System.Runtime.InteropServices;
using Distributed.Training.Native;
using TorchSharp;

namespace Distributed.Training.Tests.Native;

public sealed class NeededSymbolsTests
{
    private static readonly nint Libtorch = NativeLibrary.Load(LibtorchFolder.Find().Find("libtorch.so")!);
    private static readonly LibtorchBuild Stock = new("2.10.0", "e59a73f8", null, null);

    [Fact]
    public void Look_StockLibtorch_HasAll()
    {
        var report = NeededSymbols.Look(TorchSharpBridge.Find().Imports, Libtorch);
        Assert.Empty(report.Missing);
        Assert.Empty(report.Unused);
        Assert.True(report.Needed > 1200, $"{report.Needed} were looked up");
        Assert.Null(report.Check(Stock).Remedy);
    }

    [Fact]
    public void Look_FunctionThatTrainingCalls_IsMissing()
    {
        var used = NeededSymbols.Used.First(name => name.StartsWith("_ZN2at4_ops", StringComparison.Ordinal));
        // The list names it; this libtorch, made up here, has another.
        var report = new SymbolReport(1, [used], []);
        var check = report.Check(Stock with { Version = "2.11.0" });
        Assert.False(check.Ok);
        Assert.All([used, "at::_ops::", "1 of 1"], words => Assert.Contains(words, check.Detail, StringComparison.Ordinal));
        Assert.All(["2.10", "2.11.0", LibtorchFolder.Variable], words => Assert.Contains(words, check.Remedy!, StringComparison.Ordinal));
    }

    [Fact]
    public void Look_EagerOrLazyThatNobodyHas_IsTold()
    {
        var report = NeededSymbols.Look(
            [new("_ZN2at4goneE", IsEager: true, 0), new("_ZN2at4_ops4gone4callEv", IsEager: false, 8), new("malloc", IsEager: false, 16)],
            Libtorch);
        Assert.Equal(["_ZN2at4goneE"], report.Missing);
        Assert.Equal(["_ZN2at4_ops4gone4callEv"], report.Unused.Select(import => import.Name));
        Assert.False(report.Check(Stock).Ok);
        var warning = (report with { Missing = [] }).Check(Stock);
        Assert.True(warning.Ok);
        Assert.Contains("at::_ops::gone::call() [_ZN2at4_ops4gone4callEv]", warning.Detail, StringComparison.Ordinal);
        Assert.NotNull(warning.Remedy);
    }

    [Fact]
    public void Own_IsWhatThisRoomImports()
    {
        var own = NeededSymbols.Own("torch_cpu").ToList();
        Assert.Contains(("torch_call_dispatcher", false), own);
        Assert.Contains(("_ZN2at8autocast11clear_cacheEv", false), own);
        Assert.Equal(1 + 3, own.Count(import => import.IsOptional));
        Assert.Contains(("_ZN2at6native13mkldnn_matmulERKNS_6TensorES3_S3_ff", true), own);
        Assert.Contains(("THSTensor_data", false), NeededSymbols.Own("LibTorchSharp"));
    }

    [Fact]
    public void Check_ManyMissing_ShowsSomeAndCountsAll()
    {
        var check = new SymbolReport(100, [.. Enumerable.Range(0, 50).Select(i => $"f{i}")], []).Check(Stock);
        Assert.Contains("50 of 100", check.Detail, StringComparison.Ordinal);
        Assert.EndsWith("f7; and 42 more ('dtrain-silo symbols' lists all)", check.Detail, StringComparison.Ordinal);
    }

    /// <summary>Without this the loader would end the process with exit code 127.</summary>
    [Fact]
    public void Guard_CallOfAnAbsentFunction_ThrowsItsName()
    {
        using var x = torch.ones(3);
        var selu = TorchSharpBridge.Find().Imports
            .Single(import => import.Name.StartsWith("_ZN2at4_ops4selu4call", StringComparison.Ordinal));
        AbsentFunctions.Guard(NativeLibrary.Load("libLibTorchSharp.so", typeof(torch).Assembly, null), [selu], "libtorch 2.11.0 (test)");
        for (var i = 0; i < 3; i++)
        {
            var error = Assert.Throws<ExternalException>(() => torch.nn.functional.selu(x));
            Assert.Contains(
                "libtorch 2.11.0 (test) has no at::_ops::selu::call(at::Tensor const&)", error.Message, StringComparison.Ordinal);
        }
        using var others = torch.nn.functional.elu(x, 1);
        Assert.Equal(1, others[0].item<float>());
    }

    [Fact]
    public void Parse_ConfigOfACudaBuild_ReadsItsVersions()
    {
        const string config = """
            PyTorch built with:
              - GCC 13.3
              - C++ Version: 201703
              - Intel(R) MKL-DNN v3.7.1 (Git Hash 8d263e693366ef8db40acc569cc7d8edf644556d)
              - CUDA Runtime 13.0
              - NVCC architecture flags: -gencode;arch=compute_90,code=sm_90
              - CuDNN 91.3  (built against CUDA 13.0)
              - Build settings: BLAS_INFO=mkl, BUILD_TYPE=Release, TORCH_VERSION=2.11.0, USE_CUDA=ON,
            """;
        var build = LibtorchBuild.Parse(config, "0123abcd", hasCuda: true);
        Assert.Equal(new LibtorchBuild("2.11.0", "0123abcd", "13.0", "91.3"), build);
        Assert.False(build.IsBridges);
        Assert.Equal("libtorch 2.11.0 (0123abcd)", build.ToString());
        Assert.True((build with { Version = "2.10.1" }).IsBridges);
        Assert.False((build with { Version = "2.100.0" }).IsBridges);
    }

    [Fact]
    public void Initialize_FingerprintNamesTheLoadedBuild() =>
        Assert.Matches(
            @"^cpu; libtorch 2\.10\.0 \([0-9a-f]{8}\); \w+(; float32 products by oneDNN)?$",
            NativeRuntime.Initialize().Fingerprint);

    [Theory]
    [InlineData(9, "mixed_bfloat16 and mixed_float16")]
    [InlineData(8, "mixed_bfloat16 and mixed_float16")]
    [InlineData(7, "mixed_float16")]
    [InlineData(6, "float32")]
    public void Precisions_ByComputeCapability(int major, string expected) => Assert.Equal(expected, CudaDriver.Precisions(major));
}
