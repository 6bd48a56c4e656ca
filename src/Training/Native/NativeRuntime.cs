using Distributed.Core;
using TorchSharp;

namespace Distributed.Training.Native;

/// <summary>Brings up libtorch once per process and says what was found.</summary>
public static class NativeRuntime
{
    private static readonly Lazy<NativeReport> Report = new(Start);

    /// <summary>Whether backward can say when a gradient is complete.</summary>
    public static bool HasGradientHooks { get; private set; }

    /// <summary>Loads and self-tests the native libraries; later calls return at once.</summary>
    /// <exception cref="JobException">Code <c>native</c>: what is missing or wrong, and the remedy.</exception>
    public static NativeReport Initialize() => Report.Value;

    private static NativeReport Start()
    {
        var allocator = HostAllocator.Tune();
        var loaded = NativeLibraries.Load();
        torch.InitializeDeviceType(DeviceType.CPU);
        torch.set_num_threads(1);
        var checks = new List<NativeCheck>
        {
            new("libtorch", true, $"{torch.__version__}, bridge loaded {loaded}", null),
            new("allocator", true, allocator, null),
        };
        checks.AddRange(NativeSelfTest.Run());
        if (checks.Find(c => !c.Ok) is { } bad)
            throw new JobException(ErrorCodes.Native, $"The self-test of '{bad.Name}' failed: {bad.Detail}. {bad.Remedy}");
        var hooks = NativeSelfTest.GradientHooks();
        checks.Add(hooks);
        HasGradientHooks = hooks.Detail == "as expected";
        return new NativeReport($"cpu; libtorch {torch.__version__}; {InstructionSet.Name}", checks);
    }
}
