using Distributed.Core;
using Distributed.Training.Collectives;
using TorchSharp;
using static TorchSharp.torch;

namespace Distributed.Training.Native;

/// <summary>Tries every native door that training relies on against the loaded libtorch, on inputs whose results are known.</summary>
internal static unsafe class NativeSelfTest
{
    private const string Remedy = "This build is made for libtorch 2.10 (TorchSharp 0.107.0): restore those packages.";

    public static IEnumerable<NativeCheck> Run() =>
    [
        Try("operators by name", Linear),
        Try("autocast", Autocast),
        Try("fused optimizers", FusedOptimizers),
        Try("non-finite check and unscale", CheckAndUnscale),
        Try("host memory", HostViews),
    ];

    /// <summary>Whether gradient hooks work: the one door that training can do without, at the price of overlap.</summary>
    public static NativeCheck GradientHooks() => Try("gradient hooks", Hooks) is { Ok: false } bad
        ? bad with { Ok = true, Detail = $"not usable ({bad.Detail}): buckets leave after backward, not during it" }
        : new NativeCheck("gradient hooks", true, "as expected", null);

    private static NativeCheck Try(string name, Func<string?> test)
    {
        try
        {
            using var scope = NewDisposeScope();
            using var _ = no_grad();
            return test() is { } wrong ? new NativeCheck(name, false, wrong, Remedy) : new NativeCheck(name, true, "as expected", null);
        }
        catch (EntryPointNotFoundException e)
        {
            return new NativeCheck(name, false, e.Message, Remedy);
        }
        catch (JobException e)
        {
            return new NativeCheck(name, false, e.Message, Remedy);
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
        return (inside, outside) == (ScalarType.BFloat16, ScalarType.Float32) ? null : $"linear ran in {inside} inside the scope and in {outside} outside";
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

    private static string? HostViews()
    {
        var t = arange(6, ScalarType.Float32).reshape(2, 3);
        var view = TensorMemory.View(TensorMemory.Address(t), ScalarType.Float32, 2, 3);
        t[1, 2] = 9;
        return view[1, 2].item<float>() == 9 ? null : "a view does not share its tensor's memory";
    }
}
