using CsCheck;
using Distributed.Core.Samples;
using Distributed.Core.Spec;
using Distributed.Training.Data;

namespace Distributed.Training.Tests.Data;

public class ImageSplitTests
{
    private const int Height = 5, Width = 6;

    private static readonly NormalizeSpec Normalize = new() { Mean = new([0.1, 0.2, 0.3]), Std = new([0.5, 0.6, 0.7]) };

    private static readonly Gen<byte[]> Pixels = Gen.Byte.Array[2 * 3 * Height * Width];

    [Fact]
    public void Fill_ChannelsFirst_NormalisesEachPixelByItsChannel() =>
        Pixels.Sample(pixels =>
        {
            var (inputs, labels) = Batches.Floats(Split(pixels), [1, 0, 1]);

            Assert.Equal([9, 4, 9], labels);
            for (var i = 0; i < inputs.Length; i++)
            {
                var sample = i / (3 * Height * Width) == 1 ? 0 : 1;
                var inner = i % (3 * Height * Width);
                var channel = inner / (Height * Width);
                var pixel = pixels[(sample * 3 * Height * Width) + inner] / 255.0;
                Assert.Equal((float)((pixel - Normalize.Mean[channel]) / Normalize.Std[channel]), inputs[i]);
            }
        });

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Fill_ChannelsLast_IsTheSameImageTransposed(int channels)
    {
        var pixels = Enumerable.Range(0, 2 * channels * Height * Width).Select(i => (byte)(i * 37)).ToArray();
        var normalize = new NormalizeSpec
        {
            Mean = new(Enumerable.Repeat(0.3, channels)),
            Std = new([.. Enumerable.Range(1, channels).Select(c => c * 0.5)]),
        };
        var split = new ImageSplit(pixels, [4, 9], channels, Height, Width, normalize, null);
        var first = Batches.Floats(split, [0, 1]).Inputs;
        var last = Batches.Floats(split, [0, 1], ImageLayout.ChannelsLast).Inputs;

        for (var sample = 0; sample < 2; sample++)
            for (var c = 0; c < channels; c++)
                for (var p = 0; p < Height * Width; p++)
                    Assert.Equal(
                        first[(((sample * channels) + c) * Height * Width) + p], last[(((sample * Height * Width) + p) * channels) + c]);
    }

    [Fact]
    public void Move_AnyShiftAndFlip_IsTheObviousLoop() =>
        Gen.Select(Pixels, Gen.Int[-8, 8], Gen.Int[-8, 8], Gen.Bool).Sample((pixels, down, right, flip) =>
        {
            var moved = new byte[pixels.Length];
            ImageAugmentation.Move(pixels, moved, Height, Width, down, right, flip);

            for (var i = 0; i < pixels.Length; i++)
            {
                int x = i % Width, y = i / Width % Height, plane = i / (Width * Height);
                int sx = (flip ? Width - 1 - x : x) + right, sy = y + down;
                var expected = sx is >= 0 and < Width && sy is >= 0 and < Height ? pixels[(((plane * Height) + sy) * Width) + sx] : 0;
                Assert.Equal(expected, moved[i]);
            }
        });

    [Fact]
    public void Fill_SameGenerator_SameAugmentationInBothLayouts()
    {
        var pixels = Enumerable.Range(0, 2 * 3 * Height * Width).Select(i => (byte)(i * 91)).ToArray();
        var split = Split(pixels, new AugmentSpec { Flip = true, Crop = 2 });
        var samples = Enumerable.Repeat(0, 40).ToArray();
        var once = Batches.Floats(split, samples, ImageLayout.ChannelsFirst, new CounterRandom(1, RandomPurpose.Augment, 5, 2)).Inputs;
        var again = Batches.Floats(split, samples, ImageLayout.ChannelsFirst, new CounterRandom(1, RandomPurpose.Augment, 5, 2)).Inputs;
        var last = Batches.Floats(split, samples, ImageLayout.ChannelsLast, new CounterRandom(1, RandomPurpose.Augment, 5, 2)).Inputs;
        var other = Batches.Floats(split, samples, ImageLayout.ChannelsFirst, new CounterRandom(1, RandomPurpose.Augment, 5, 3)).Inputs;

        Assert.Equal(once, again);
        Assert.NotEqual(once, other);
        Assert.Equal(once.Order(), last.Order());
        Assert.True(once.Chunk(3 * Height * Width).Distinct(new SameFloats()).Count() > 10);
    }

    [Fact]
    public void Fill_GeneratorButNothingAskedFor_LeavesImagesAlone()
    {
        var pixels = new byte[2 * 3 * Height * Width];
        pixels[7] = 200;
        var plain = Batches.Floats(Split(pixels), [0, 1]).Inputs;

        Assert.Equal(
            plain, Batches.Floats(Split(pixels, new AugmentSpec()), [0, 1], augment: new CounterRandom(1, RandomPurpose.Augment)).Inputs);
    }

    private static ImageSplit Split(byte[] pixels, AugmentSpec? augment = null) =>
        new(pixels, [4, 9], 3, Height, Width, Normalize, augment);

    private sealed class SameFloats : IEqualityComparer<float[]>
    {
        public bool Equals(float[]? x, float[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode(float[] obj) => obj.Sum().GetHashCode();
    }
}
