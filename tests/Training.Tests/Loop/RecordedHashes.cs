using Distributed.Testing;
using Distributed.Training.Native;

namespace Distributed.Training.Tests.Loop;

/// <summary>
/// The hashes in <c>recorded-hashes.txt</c>: a line for each job on each kind of processor, with tabs between processor, job and hash.
/// </summary>
internal static class RecordedHashes
{
    private static readonly Lock Gate = new();
    private static readonly string File = Path.Combine(Checkout.Root, "tests", "Training.Tests", "Loop", "recorded-hashes.txt");

    /// <summary>Libraries choose their kernels by more than the instruction set, so the processor's model is part of it.</summary>
    public static string Processor { get; } =
        $"{NativeRuntime.Initialize().Fingerprint}; {string.Join(' ', new[] { "vendor_id", "cpu family", "model" }.Select(Fact))}";

    private static bool IsRecording => Environment.GetEnvironmentVariable("DTRAIN_RECORD_HASHES") == "1";

    public static bool AreKnown { get; } = IsRecording || Lines().Any(line => line[0] == Processor);

    /// <param name="records">In recording mode this one adds what is missing.</param>
    public static void Check(string job, string hash, bool records = false)
    {
        lock (Gate)
        {
            var recorded = Lines().Where(line => line[0] == Processor && line[1] == job).Select(line => line[2]).SingleOrDefault();
            if (recorded is null && records && IsRecording) System.IO.File.AppendAllText(File, $"{Processor}\t{job}\t{hash}\n");
            else Assert.Equal(recorded, hash);
        }
    }

    private static IEnumerable<string[]> Lines() =>
        System.IO.File.Exists(File)
            ? System.IO.File.ReadLines(File).Select(line => line.Split('\t')).Where(parts => parts.Length == 3)
            : [];

    private static string Fact(string name) =>
        System.IO.File.ReadLines("/proc/cpuinfo").Select(line => line.Split(':', 2))
            .FirstOrDefault(parts => parts[0].TrimEnd() == name)?[1].Trim() ?? "?";
}

/// <summary>A theory on recorded hashes; skipped in plain sight on a processor that has none.</summary>
internal sealed class RecordedTheoryAttribute : TheoryAttribute
{
    public RecordedTheoryAttribute()
    {
        if (!RecordedHashes.AreKnown) Skip = $"no hashes recorded for {RecordedHashes.Processor}";
    }
}
