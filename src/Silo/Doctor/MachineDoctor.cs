using System.Text.Encodings.Web;
using System.Text.Json;
using Distributed.Training.Native;

namespace Distributed.Silo.Doctor;

/// <summary><c>dtrain-silo doctor</c>: what this process finds of devices and native libraries, as one JSON object.</summary>
internal static class MachineDoctor
{
    internal static readonly JsonSerializerOptions Options =
        new(JsonSerializerDefaults.Web) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static int Run(IReadOnlyList<string> arguments)
    {
        if (arguments.Count > 0)
        {
            Console.Error.WriteLine($"dtrain-silo: doctor takes no arguments; found '{arguments[0]}'.");
            return 2;
        }
        var native = NativeRuntime.Look();
        var report = native with { Checks = [.. native.Checks, .. CudaDriver.Look(), .. HostChecks()] };
        Console.WriteLine(JsonSerializer.Serialize(report, Options));
        return report.Checks.All(c => c.Ok) ? 0 : 1;
    }

    private static IEnumerable<NativeCheck> HostChecks()
    {
        var memory = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (1 << 30);
        yield return new NativeCheck("cores", true, $"{Environment.ProcessorCount} cpu slots", null);
        yield return new NativeCheck(
            "memory", memory >= 2, $"{memory} GiB",
            memory >= 2 ? null : "Training needs 2 GiB and more; give the machine or container more memory.");
        var temporary = Path.GetTempPath();
        var free = new DriveInfo(temporary).AvailableFreeSpace / (1 << 20);
        yield return new NativeCheck(
            "temporary space", free >= 256, $"{free} MiB free in {temporary}", free >= 256 ? null : $"Free space in {temporary}.");
    }
}
