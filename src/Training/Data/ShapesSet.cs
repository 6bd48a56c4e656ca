using System.Globalization;
using System.Text;
using Distributed.Core.DataSets;
using Distributed.Core.Samples;
using Distributed.Core.Spec;
using Distributed.Training.Native;

namespace Distributed.Training.Data;

/// <summary>Generated 3x32x32 images in ten classes: figures and stripe patterns of any place, size and colour, under noise.</summary>
/// <remarks>
/// Figure and ground take random colours, lighter or darker alike, so that no single pixel tells the class: a linear model stays far
/// below a convolutional one. Every image is a function of (seed, split, number) alone.
/// </remarks>
internal static class ShapesSet
{

    public const int TestSamples = 1_000;

    public const int Classes = 10;

    /// <summary>Goes into the digest, which is one of the parameters: to be raised when the same parameters give other images.</summary>
    private const int Form = 1;

    private const int Side = 32;
    private const int Plane = Side * Side;

    private enum Split
    {
        Train = 0,
        Test = 1,
    }

    public static DataSource Generate(JobSpec spec)
    {
        var normalize = ImageNormalization.For(spec, ImageNormalization.Shapes);
        var samples = ((ShapesOptions)spec.Data.Options).Samples;
        var train = Render(samples, spec.Seed, Split.Train, normalize, spec.Augment);
        var test = Render(TestSamples, spec.Seed, Split.Test, normalize, augment: null);
        var digest = new DataDigest();
        digest.Add("shapes", Encoding.UTF8.GetBytes(
            string.Create(CultureInfo.InvariantCulture, $"form {Form}; {samples} and {TestSamples} samples; seed {spec.Seed}")));
        return new DataSource(train, test, Endless: false, Classes) { Sha256 = digest.Compute() };
    }

    private static ImageSplit Render(int count, long seed, Split split, NormalizeSpec normalize, AugmentSpec? augment)
    {
        var pixels = new byte[count * 3 * Plane];
        var labels = new byte[count];
        Parallel.For(0, count, new ParallelOptions { CancellationToken = AbortSignal.Current }, sample =>
        {
            var random = new CounterRandom(seed, RandomPurpose.Samples, (long)split, sample);
            labels[sample] = (byte)(sample % Classes);
            RenderOne(labels[sample], pixels.AsSpan(sample * 3 * Plane, 3 * Plane), ref random);
        });
        return new ImageSplit(pixels, labels, 3, Side, Side, normalize, augment);
    }

    private static void RenderOne(int figure, Span<byte> image, ref CounterRandom random)
    {
        var pose = ShapePose.Draw(ref random);
        var lighter = random.NextInt(2) == 0;
        Span<int> ground = stackalloc int[3], ink = stackalloc int[3];
        for (var c = 0; c < 3; c++)
        {
            ground[c] = 70 + random.NextInt(116);
            var contrast = 30 + random.NextInt(60);
            ink[c] = ground[c] + (lighter ? contrast : -contrast);
        }

        for (var p = 0; p < Plane; p++)
        {
            var colour = pose.Covers(figure, p % Side, p / Side) ? ink : ground;
            var noise = random.NextUInt64();
            for (var c = 0; c < 3; c++, noise >>= 21) image[(c * Plane) + p] = (byte)Math.Clamp(colour[c] + Noise(noise), 0, 255);
        }
    }

    /// <summary>Nearly normal with deviation 24, out of 21 random bits: three uniform numbers added.</summary>
    private static int Noise(ulong bits)
    {
        var sum = (int)(bits & 127) + (int)((bits >> 7) & 127) + (int)((bits >> 14) & 127);
        return ((sum * 2) - 381) * 3 / 16;
    }
}
