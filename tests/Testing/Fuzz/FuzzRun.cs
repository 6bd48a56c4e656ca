using System.Globalization;
using System.Runtime.InteropServices;
using Distributed.Core.Jobs;

namespace Distributed.Testing.Fuzz;

/// <summary>
/// Holds a reader against damaged inputs: it refuses them in its own words only, and takes memory and time in proportion to them.
/// </summary>
/// <remarks>
/// <c>DTRAIN_FUZZ=1000000 dotnet test --filter Fuzz</c> makes a long run of it; a failure names the input's number and
/// where it was written.
/// </remarks>
internal static class FuzzRun
{
    private const int Short = 800;
    private const long LeastBytes = 32L << 20;
    private const long BytesPerByte = 1000;

    // Of the processor, so that a busy machine changes little; a reader that takes this long for a few hundred bytes takes
    // hours for a megabyte.
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);
    private const int ThreadClock = 3;

    /// <summary>How many each reader gets.</summary>
    public static int Inputs { get; } = int.TryParse(
        Environment.GetEnvironmentVariable("DTRAIN_FUZZ"), NumberStyles.None, CultureInfo.InvariantCulture, out var inputs)
        ? inputs
        : Short;

    /// <param name="read">Returns, or throws <see cref="JobException"/>.</param>
    /// <param name="cost">How many times as long as most one input takes: so many fewer are tried.</param>
    /// <param name="seed">Another one gives other inputs.</param>
    public static void Hold(IReadOnlyList<byte[]> seeds, Action<byte[]> read, int cost = 1, int seed = 1)
    {
        Damage damage = new(seeds, new Random(seed));
        for (var number = 0; number < Math.Max(1, Inputs / cost); number++)
        {
            var input = damage.Next();
            var before = GC.GetAllocatedBytesForCurrentThread();
            var begun = Worked();
            try
            {
                read(input);
            }
            catch (JobException refused)
            {
                if (refused.Message.Length is 0 or >= 4096) Fail(number, input, $"refused in {refused.Message.Length} characters");
            }
#pragma warning disable CA1031 // Whatever else gets out is what is looked for.
            catch (Exception e)
#pragma warning restore CA1031
            {
                Fail(number, input, e.ToString());
            }

            var taken = GC.GetAllocatedBytesForCurrentThread() - before;
            if (taken > LeastBytes + (BytesPerByte * input.Length)) Fail(number, input, $"took {taken} bytes");
            var worked = Worked() - begun;
            if (worked > Longest) Fail(number, input, $"took {worked.TotalSeconds} s of a processor");
        }
    }

    /// <summary>For readers of files: each input in a file of its own folder.</summary>
    public static void HoldFile(string name, IReadOnlyList<byte[]> seeds, Action<string> read, int cost = 1)
    {
        var folder = Directory.CreateTempSubdirectory("dtrain-fuzz-").FullName;
        try
        {
            var path = Path.Combine(folder, name);
            Hold(
                seeds,
                input =>
                {
                    File.WriteAllBytes(path, input);
                    read(path);
                },
                cost);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Time that this thread has had of a processor.</summary>
    private static TimeSpan Worked()
    {
        if (!OperatingSystem.IsLinux()) return TimeSpan.Zero;
        Assert.Equal(0, ReadClock(ThreadClock, out var time));
        return TimeSpan.FromSeconds(time.Seconds) + TimeSpan.FromMicroseconds(time.Nanoseconds / 1000);
    }

    [DllImport("libc", EntryPoint = "clock_gettime")]
    private static extern int ReadClock(int clock, out ClockTime time);

    [StructLayout(LayoutKind.Sequential)]
    private struct ClockTime
    {
        public long Seconds;
        public long Nanoseconds;
    }

    /// <summary>Keeps the input so that the failure can be looked into.</summary>
    private static void Fail(int number, byte[] input, string what)
    {
        var kept = Path.Combine(Path.GetTempPath(), $"dtrain-fuzz-found-{Guid.NewGuid():N}");
        File.WriteAllBytes(kept, input);
        Assert.Fail($"Input {number} ({kept}): {what}");
    }
}
