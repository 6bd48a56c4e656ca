using Distributed.Core.Jobs;

namespace Distributed.Training.Devices;

/// <summary>The devices that this build can drive, by the words of the job file.</summary>
internal static class DeviceRuntimes
{
    /// <param name="name"><c>workers.device</c> of the job.</param>
    /// <exception cref="JobException">Code <c>spec-invalid</c>: this build does not drive it.</exception>
    public static IDeviceRuntime Open(string name) => name switch
    {
        "cpu" => CpuDevice.Instance,
        _ => throw new JobException(
            ErrorCodes.SpecInvalid, $"workers.device is '{name}', but this build drives CPUs only. Set workers.device: cpu."),
    };
}
