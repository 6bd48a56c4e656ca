using System.Globalization;
using Distributed.Core;

namespace Distributed.Tests.Fuzz;

/// <summary>Holds a reader against damaged inputs: it refuses them in its own words only, and takes memory in proportion to them.</summary>
/// <remarks><c>DTRAIN_FUZZ=1000000 dotnet test --filter Fuzz</c> makes a long run of it; a failure names the input's number and where it was written.</remarks>
internal static class FuzzRun
{
    private const int Short = 1500;
    private const long LeastBytes = 32L << 20;
    private const long BytesPerByte = 1000;

    private static readonly int Inputs = int.TryParse(Environment.GetEnvironmentVariable("DTRAIN_FUZZ"), NumberStyles.None, CultureInfo.InvariantCulture, out var inputs) ? inputs : Short;

    /// <param name="read">Returns, or throws <see cref="JobException"/>.</param>
    /// <param name="seed">Another one gives other inputs.</param>
    public static void Hold(IReadOnlyList<byte[]> seeds, Action<byte[]> read, int seed = 1)
    {
        Damage damage = new(seeds, new Random(seed));
        for (var number = 0; number < Inputs; number++)
        {
            var input = damage.Next();
            var before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                read(input);
            }
            catch (JobException refused)
            {
                Assert.True(refused.Message.Length is > 0 and < 4096, Found(number, input, $"refused in {refused.Message.Length} characters"));
            }
#pragma warning disable CA1031 // Whatever else gets out is what is looked for.
            catch (Exception e)
#pragma warning restore CA1031
            {
                Assert.Fail(Found(number, input, e.ToString()));
            }

            var taken = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(taken <= LeastBytes + (BytesPerByte * input.Length), Found(number, input, $"took {taken} bytes"));
        }
    }

    /// <summary>For readers of files: each input in a file of its own folder.</summary>
    public static void HoldFile(string name, IReadOnlyList<byte[]> seeds, Action<string> read, int seed = 1)
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
                seed);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string Found(int number, byte[] input, string what)
    {
        var kept = Path.Combine(Path.GetTempPath(), $"dtrain-fuzz-found-{Guid.NewGuid():N}");
        File.WriteAllBytes(kept, input);
        return $"Input {number} ({kept}): {what}";
    }
}
