using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using Distributed.Core.Jobs;

namespace Distributed.Client.Runs;

/// <summary>Where a run took place: enough to tell why another one differs.</summary>
/// <param name="Fingerprint">Device kind, libtorch and instruction set as the silo reports them; null until it does.</param>
internal sealed record RunEnvironment(
    JobId Job, DateTimeOffset Started, string Version, string DotNet, string Os, string Architecture,
    string Cpu, int Cores, long MemoryBytes, int Ranks, string? Fingerprint)
{
    private static readonly JsonSerializerOptions Layout = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static string ProductVersion { get; } =
        typeof(RunEnvironment).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    public static RunEnvironment Take(TrainPlan plan, TimeProvider time) => new(
        plan.JobId, time.GetUtcNow(), ProductVersion, RuntimeInformation.FrameworkDescription, RuntimeInformation.OSDescription,
        RuntimeInformation.OSArchitecture.ToString(), CpuModel(), Environment.ProcessorCount,
        GC.GetGCMemoryInfo().TotalAvailableMemoryBytes, plan.Ranks, Fingerprint: null);

    public string ToJson() => JsonSerializer.Serialize(this, Layout);

    private static string CpuModel()
    {
        const string cpuInfo = "/proc/cpuinfo";
        if (!File.Exists(cpuInfo)) return "unknown";
        var model = File.ReadLines(cpuInfo).FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal));
        return model is null ? "unknown" : model[(model.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim();
    }
}
