using System.Runtime.Intrinsics.X86;

namespace Distributed.Training.Native;

/// <summary>The widest vector instructions of this machine, part of a run's fingerprint.</summary>
internal static class InstructionSet
{
    public static string Name =>
        Avx512F.IsSupported ? (HasFlag("avx512_bf16") ? "avx512_bf16" : "avx512") :
        Avx2.IsSupported ? "avx2" : System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture.ToString();

    private static bool HasFlag(string flag) =>
        File.Exists("/proc/cpuinfo")
        && File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith("flags", StringComparison.Ordinal)) is { } line
        && line.Split(' ').Contains(flag);
}
