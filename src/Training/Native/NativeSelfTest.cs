using System.Globalization;
using System.Runtime.InteropServices;
using Distributed.Core.Jobs;
using Distributed.Training.Kernels;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Distributed.Training.Native;

/// <summary>
/// Tries every native entry point that training relies on against the loaded libtorch, on inputs whose results are known.
/// </summary>
internal static unsafe class NativeSelfTest
{
    private const string Remedy = $"TorchSharp's bridge is made for libtorch {LibtorchBuild.Bridge}: "
        + $"name one in {LibtorchFolder.Variable}, or unset it and restore the packages.";

    public static IEnumerable<NativeCheck> Run() =>
    [
        Try("operators by name", Linear),
        Try("autocast", Autocast),
        Try("fused optimizers", FusedOptimizers),
        Try("non-finite check and unscale", CheckAndUnscale),
        Try("host memory", HostViews),
    ];

    /// <summary>A third of a second more: for a libtorch that this build does not bring, and for reports.</summary>
    public static IEnumerable<NativeCheck> RunFurther() =>
    [
        Try("forward and backward of images", Images),
        Try("forward and backward of sequences", Sequences),
        Try("attention", Attention),
    ];

    /// <summary>Whether gradient hooks work: the one entry point that training can do without, at the price of overlap.</summary>
    public static NativeCheck GradientHooks() => Try("gradient hooks", Hooks) is { Ok: false } bad
        ? bad with { Ok = true, Detail = $"not usable ({bad.Detail}): buckets leave after backward, not during it" }
        : new NativeCheck("gradient hooks", true, "as expected", null);

    private static NativeCheck Try(string name, Func<string?> test)
    {
        // What a libtorch of another layout does to the process leaves no time for words afterwards.
        if (Environment.GetEnvironmentVariable("DTRAIN_TRACE") == "native") Console.Error.WriteLine($"self-test: {name}");
        try
        {
            using var scope = NewDisposeScope();
            using var _ = no_grad();
            return test() is { } wrong ? new NativeCheck(name, false, wrong, Remedy) : new NativeCheck(name, true, "as expected", null);
        }
        catch (Exception e) when (e is EntryPointNotFoundException or ExternalException or JobException)
        {
            return new NativeCheck(name, false, e.Message.Split('\n')[0], Remedy);
        }
    }

    private static string? Linear()
    {
        var y = Aten.Linear(ones(2, 3), full(4, 3, 0.5f), ones(4));
        return y.shape is [2, 4] && y.eq(2.5f).all().item<bool>() ? null : "aten::linear gave a wrong product";
    }

    private static string? Autocast()
    {
        ScalarType inside;
        using (AutocastScope.Enter(DeviceType.CPU, ScalarType.BFloat16)) inside = Aten.Linear(ones(2, 3), ones(4, 3), ones(4)).dtype;
        var outside = Aten.Linear(ones(2, 3), ones(4, 3), ones(4)).dtype;
        return (inside, outside) == (ScalarType.BFloat16, ScalarType.Float32)
            ? null
            : $"linear ran in {inside} inside the scope and in {outside} outside";
    }

    private static string? FusedOptimizers()
    {
        Tensor w = ones(64), g = full(64, 0.5f), m = zeros(64), v = zeros(64), step = ones(1);
        Aten.FusedAdam(true, [w], [g], [m], [v], [step], lr: 0.1, beta1: 0.9, beta2: 0.999, weightDecay: 0, eps: 0);
        // The first Adam step is lr times the gradient's sign.
        if (w.sub(0.9f).abs().max().item<float>() > 1e-6f) return "_fused_adamw_ moved a weight wrongly";
        Tensor x = ones(64), buffer = ones(64);
        Aten.FusedSgd([x], [g], [buffer], weightDecay: 0, momentum: 0.9, lr: 0.1, nesterov: false);
        // v = 0.9 + 0.5, w = 1 - 0.1 v.
        return x.sub(0.86f).abs().max().item<float>() > 1e-6f ? "_fused_sgd_ moved a weight wrongly" : null;
    }

    private static string? CheckAndUnscale()
    {
        foreach (var last in (float[])[3e38f, float.NaN, float.NegativeInfinity])
        {
            Tensor expected = linspace(-3, 3, 67), mine = expected.clone(), found = zeros(1), inverse = full(1, (float)(1 / 3.0));
            expected[66] = last;
            mine[66] = last;
            Aten.NonFiniteCheckAndUnscale([expected], found, inverse);
            var bad = HostKernels.CheckAndUnscale((float*)TensorMemory.Address(mine), 67, (float)(1 / 3.0), 1);
            if (bad != (found.item<float>() != 0)) return "the host kernel and libtorch disagree on what is finite";
            if (!mine.narrow(0, 0, 66).eq(expected.narrow(0, 0, 66)).all().item<bool>())
                return "the host kernel and libtorch unscale to different bits";
        }
        return null;
    }

    private static string? Hooks()
    {
        using var graded = enable_grad();
        Tensor first = ones(3).requires_grad_(), second = ones(3).requires_grad_();
        var calls = new List<string>();
        GradientHook.Set(first, () => calls.Add($"first {first.grad![0].item<float>()}"));
        GradientHook.Set(second, () =>
        {
            calls.Add($"second {second.grad![0].item<float>()}");
            second.grad = null;
        });
        for (var i = 0; i < 2; i++) ((first * 2) * second).sum().backward();
        GradientHook.Clear(first);
        GradientHook.Clear(second);
        (first * second).sum().backward();
        GradientHook.ThrowIfRaised();
        // The gradient of first gathers, that of second was taken each time.
        return calls.Order(StringComparer.Ordinal).SequenceEqual(["first 2", "first 4", "second 2", "second 2"])
            ? null
            : $"they were called for {string.Join(", ", calls)}";
    }

    /// <summary>
    /// Layouts that differ between bridge and libtorch would show as wrong numbers: the expected ones here and below are PyTorch 1.13's,
    /// which 2.10 gives to 7 digits.
    /// </summary>
    private static string? Images()
    {
        using var graded = enable_grad();
        var x = linspace(-1, 1, 2 * 3 * 8 * 8).reshape(2, 3, 8, 8);
        var w = linspace(-0.3, 0.5, 4 * 27).reshape(4, 3, 3, 3).requires_grad_();
        var h = F.max_pool2d(F.conv2d(x, w, ones(4), padding: [1, 1]), 2).relu().flatten(1);
        var loss = F.cross_entropy(
            Aten.Linear(h, linspace(-0.1, 0.2, 3 * 64).reshape(3, 64), zeros(3)), tensor([1L, 2L]), reduction: nn.Reduction.Sum);
        loss.backward();
        return Compare("loss", loss, 9.1821003) ?? Compare("gradient", w.grad!.abs().sum(), 46.128483);
    }

    private static string? Sequences()
    {
        using var graded = enable_grad();
        var table = linspace(-1, 1, 5 * 4).reshape(5, 4).requires_grad_();
        Tensor input = linspace(-0.5, 0.5, 12 * 4).reshape(12, 4), hidden = linspace(-0.4, 0.6, 12 * 3).reshape(12, 3),
            zero = zeros(1, 2, 3);
        var last = Aten.LstmLastHidden(
            Aten.Embedding(table, tensor([0L, 3, 1, 4, 2, 3], 2, 3)), zero, zero, [input, hidden, zeros(12), ones(12)]);
        var loss = F.binary_cross_entropy_with_logits(last.sum(1), tensor([0f, 1f]), reduction: nn.Reduction.Sum);
        loss.backward();
        return Compare("loss", loss, 2.1935604) ?? Compare("gradient", table.grad!.abs().sum(), 0.85197002);
    }

    private static string? Attention()
    {
        using var graded = enable_grad();
        var x = linspace(-1, 1, 2 * 4 * 6).sin().reshape(2, 4, 6).requires_grad_();
        var n = F.layer_norm(x.mul(x).add(x), [6], linspace(0.5, 1.5, 6), zeros(6));
        var y = F.gelu(F.softmax(n.matmul(n.transpose(1, 2)).mul(0.3), -1).matmul(n)).sum();
        y.backward();
        return Compare("sum", y, 18.812403) ?? Compare("gradient", x.grad!.abs().sum(), 124.52641);
    }

    private static string? Compare(string what, Tensor found, double expected)
    {
        var value = found.item<float>();
        return Math.Abs(value - expected) <= 1e-4 * Math.Abs(expected)
            ? null
            : string.Create(CultureInfo.InvariantCulture, $"the {what} is {value}, expected {expected}");
    }

    private static string? HostViews()
    {
        var t = arange(6, ScalarType.Float32).reshape(2, 3);
        var view = TensorMemory.View(TensorMemory.Address(t), ScalarType.Float32, 2, 3);
        t[1, 2] = 9;
        return view[1, 2].item<float>() == 9 ? null : "a view does not share its tensor's memory";
    }
}
