using System.Reflection;
using Distributed.Core.Jobs;
using TorchSharp;

namespace Distributed.Training.Native;

/// <summary>Brings up libtorch once per process and says what was found.</summary>
public static class NativeRuntime
{
    private static readonly Lazy<NativeReport> Report = new(Start);

    private static bool thorough;

    /// <summary>TorchSharp's version, read without running its code, which would load native libraries.</summary>
    private static string Version =>
        typeof(torch).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "unknown";

    /// <summary>Whether backward can say when a gradient is complete.</summary>
    public static bool HasGradientHooks { get; private set; }

    /// <summary>Loads and self-tests the native libraries; later calls return at once.</summary>
    /// <exception cref="JobException">Code <c>native</c>: what is missing or wrong, and the remedy.</exception>
    public static NativeReport Initialize() =>
        Report.Value is { Failure: { } failure } ? throw new JobException(ErrorCodes.Native, failure) : Report.Value;

    /// <summary>The same, for a report: all self-tests are run, and what is wrong is one of the checks. Before any other call.</summary>
    public static NativeReport Look()
    {
        thorough = true;
        return Report.Value;
    }

    private static NativeReport Start()
    {
        List<NativeCheck> checks = [];
        try
        {
            return Start(checks);
        }
        catch (JobException e) when (e.Code == ErrorCodes.Native)
        {
            // What the last check says already need not be said twice.
            if (checks is [] or [.., { Ok: true }])
                checks.Add(new NativeCheck("native libraries", false, e.Message, "See docs/runbook.md, \"Native libraries\"."));
            return new NativeReport("", checks, e.Message);
        }
    }

    /// <exception cref="JobException">Code <c>native</c>: what came before is in <paramref name="checks"/>.</exception>
    private static NativeReport Start(List<NativeCheck> checks)
    {
        checks.Add(new("allocator", true, HostAllocator.Tune(), null));
        var bridge = TorchSharpBridge.Find();
        var folder = LibtorchFolder.Find();
        var libtorch = Libtorch.Load(folder);
        checks.Add(Describe(libtorch));
        var symbols = NeededSymbols.Look(bridge.Imports, libtorch.Handle);
        checks.Add(symbols.Check(libtorch.Build));
        if (!checks[^1].Ok)
            throw new JobException(ErrorCodes.Native, $"{libtorch.Build} from {libtorch.Place}: {checks[^1].Detail}. {checks[^1].Remedy}");
        checks.Add(new("bridge", true, $"of TorchSharp {Version}, loaded {bridge.Load(symbols.Unused, libtorch.Build.ToString())}", null));
        torch.InitializeDeviceType(DeviceType.CPU);
        torch.set_num_threads(1);
        checks.Add(MatrixProducts.Install(libtorch.Handle));
        checks.AddRange(NativeSelfTest.Run());
        if (thorough || folder.IsNamed || !libtorch.Build.IsBridges) checks.AddRange(NativeSelfTest.RunFurther());
        if (checks.Find(c => !c.Ok) is { } bad)
            throw new JobException(
                ErrorCodes.Native,
                $"{libtorch.Build} from {libtorch.Place}: the self-test of '{bad.Name}' failed: {bad.Detail}. {bad.Remedy}");
        var hooks = NativeSelfTest.GradientHooks();
        checks.Add(hooks);
        HasGradientHooks = hooks.Detail == "as expected";
        return new NativeReport($"cpu; {libtorch.Build}; {InstructionSet.Name}{MatrixProducts.Fingerprint}", checks, null);
    }

    private static NativeCheck Describe(Libtorch libtorch)
    {
        var cuda = libtorch.Build.Cuda is { } runtime
            ? $"CUDA runtime {runtime}{(libtorch.Build.CuDnn is { } cuDnn ? $", cuDNN {cuDnn}" : "")}"
            : "without CUDA";
        return new NativeCheck(
            "libtorch", true, $"{libtorch.Build}, {cuda}, from {libtorch.Place}",
            libtorch.Build.IsBridges
                ? null
                : $"TorchSharp's bridge is made for libtorch {LibtorchBuild.Bridge}. Use that version for work that matters: "
                    + "of this one, only what is tested at the start is known to work.");
    }
}
