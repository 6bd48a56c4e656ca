using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Distributed.Training.Native;

/// <summary>NVIDIA's driver and the GPUs it offers, asked through its own C interface; no part of libtorch is needed.</summary>
/// <remarks>
/// For reports alone: nothing here makes a context on a GPU. Functions and numbers: CUDA Driver API (cuda.h), NVML (nvml.h).
/// </remarks>
public static unsafe class CudaDriver
{
    private const int CapabilityMajor = 75, CapabilityMinor = 76, NoDevice = 100, NameBytes = 256;

    /// <summary>The driver, then each GPU with its memory and what it is good for; one line when there is none.</summary>
    public static IEnumerable<NativeCheck> Look()
    {
        if (!NativeLibrary.TryLoad("libcuda.so.1", out var cuda))
            return [new("GPU driver", true, "none (no libcuda.so.1): ranks run on cores", null)];
        if (Missing(
            cuda, "cuInit", "cuDriverGetVersion", "cuDeviceGetCount", "cuDeviceGet", "cuDeviceGetName", "cuDeviceTotalMem_v2",
            "cuDeviceGetAttribute") is { } missing)
            return [new("GPU driver", true, $"libcuda.so.1 has no {missing}", "Install NVIDIA's driver again.")];
        var code = ((delegate* unmanaged[Cdecl]<uint, int>)Export(cuda, "cuInit"))(0);
        int version, count = 0;
        _ = ((delegate* unmanaged[Cdecl]<int*, int>)Export(cuda, "cuDriverGetVersion"))(&version);
        var driver = $"{DriverVersion() ?? "of unknown version"}, for CUDA up to {version / 1000}.{version % 1000 / 10}";
        if (code == 0) code = ((delegate* unmanaged[Cdecl]<int*, int>)Export(cuda, "cuDeviceGetCount"))(&count);
        if (code == NoDevice || (code == 0 && count == 0)) return [new("GPU driver", true, $"{driver}; it offers no GPU", null)];
        if (code != 0)
            return [new(
                "GPU driver", true, $"{driver}; it answers with error {code}",
                "Driver and kernel module may differ, or the GPU needs attention: see what nvidia-smi says.")];
        return [new("GPU driver", true, driver, null), .. Enumerable.Range(0, count).Select(index => Describe(cuda, index))];
    }

    /// <returns>What tensor cores of this compute capability calculate with.</returns>
    /// <remarks>Source: CUDA C++ Programming Guide, "Compute Capabilities".</remarks>
    public static string Precisions(int major) => major switch
    {
        >= 8 => "mixed_bfloat16 and mixed_float16",
        7 => "mixed_float16",
        _ => "float32",
    };

    private static NativeCheck Describe(nint cuda, int index)
    {
        int device, major = 0, minor = 0;
        nuint bytes = 0;
        var text = stackalloc byte[NameBytes];
        var attribute = (delegate* unmanaged[Cdecl]<int*, int, int, int>)Export(cuda, "cuDeviceGetAttribute");
        var code = ((delegate* unmanaged[Cdecl]<int*, int, int>)Export(cuda, "cuDeviceGet"))(&device, index);
        if (code == 0) code = ((delegate* unmanaged[Cdecl]<byte*, int, int, int>)Export(cuda, "cuDeviceGetName"))(text, NameBytes, device);
        if (code == 0) code = ((delegate* unmanaged[Cdecl]<nuint*, int, int>)Export(cuda, "cuDeviceTotalMem_v2"))(&bytes, device);
        if (code == 0) code = attribute(&major, CapabilityMajor, device);
        if (code == 0) code = attribute(&minor, CapabilityMinor, device);
        var name = $"cuda:{index}";
        return code != 0
            ? new NativeCheck(name, true, $"the driver answers with error {code}", "See what nvidia-smi says.")
            : new NativeCheck(
                name, true,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{Marshal.PtrToStringUTF8((nint)text)}, {bytes / (double)(1 << 30):0.0} GiB, compute capability {major}.{minor}, "
                    + $"good for {Precisions(major)}"),
                null);
    }

    /// <summary>NVML knows the driver's own version; null without it.</summary>
    private static string? DriverVersion()
    {
        if (!NativeLibrary.TryLoad("libnvidia-ml.so.1", out var nvml)
            || Missing(nvml, "nvmlInit_v2", "nvmlSystemGetDriverVersion", "nvmlShutdown") is not null) return null;
        if (((delegate* unmanaged[Cdecl]<int>)Export(nvml, "nvmlInit_v2"))() != 0) return null;
        var text = stackalloc byte[NameBytes];
        var code = ((delegate* unmanaged[Cdecl]<byte*, uint, int>)Export(nvml, "nvmlSystemGetDriverVersion"))(text, NameBytes);
        _ = ((delegate* unmanaged[Cdecl]<int>)Export(nvml, "nvmlShutdown"))();
        return code == 0 ? Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text)) : null;
    }

    private static string? Missing(nint library, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
            if (!NativeLibrary.TryGetExport(library, name, out _)) return name;
        return null;
    }

    private static nint Export(nint library, string name) => NativeLibrary.GetExport(library, name);
}
