using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Distributed.Core.Samples;
using Distributed.Core.Spec;
using Distributed.Core.Values;

namespace Distributed.Training.Data;

/// <summary>Images kept as bytes, planar; normalised when a batch asks for them.</summary>
internal sealed class ImageSplit : IDataSplit
{
    private const int StackBytes = 16 * 1024;

    private readonly byte[] pixels;
    private readonly byte[] labels;
    private readonly int channels;
    private readonly int height;
    private readonly int width;
    private readonly float[] table;
    private readonly AugmentSpec? augment;

    /// <param name="pixels">[count, channels, height, width].</param>
    /// <param name="labels">[count].</param>
    /// <param name="augment">Null or nothing asked for: a generator given to <see cref="Fill"/> has no effect.</param>
    public ImageSplit(
        byte[] pixels, byte[] labels, int channels, int height, int width, NormalizeSpec normalize, AugmentSpec? augment)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(pixels.LongLength, (long)labels.Length * channels * height * width, nameof(pixels));
        ArgumentOutOfRangeException.ThrowIfNotEqual(normalize.Mean.Count, channels, nameof(normalize));
        ArgumentOutOfRangeException.ThrowIfNotEqual(normalize.Std.Count, channels, nameof(normalize));
        (this.pixels, this.labels) = (pixels, labels);
        (this.channels, this.height, this.width) = (channels, height, width);
        table = PixelTable.Build(normalize);
        this.augment = augment is { Flip: true } or { Crop: > 0 } ? augment : null;
        Input = new SampleFormat(new EquatableList<long>([channels, height, width]), ElementKind.Float32);
    }

    public int Count => labels.Length;

    public SampleFormat Input { get; }

    public SampleFormat Label { get; } = SampleFormat.Scalar(ElementKind.Int64);

    public bool IsImage => true;

    public void Fill(ReadOnlySpan<int> samples, Span<byte> inputs, Span<byte> labels, ImageLayout layout, CounterRandom? augment)
    {
        var size = channels * height * width;
        var output = MemoryMarshal.Cast<byte, float>(inputs);
        var classes = MemoryMarshal.Cast<byte, long>(labels);
        var random = augment.GetValueOrDefault();
        var augmenting = augment is not null && this.augment is not null;
        scoped Span<byte> moved = !augmenting ? default : size <= StackBytes ? stackalloc byte[size] : new byte[size];
        for (var i = 0; i < samples.Length; i++)
        {
            scoped ReadOnlySpan<byte> image = pixels.AsSpan(samples[i] * size, size);
            if (augmenting)
            {
                ImageAugmentation.Apply(this.augment!, image, moved, height, width, ref random);
                image = moved;
            }

            var target = output.Slice(i * size, size);
            if (layout == ImageLayout.ChannelsLast && channels == 3) FillInterleaved(image, target);
            else if (layout == ImageLayout.ChannelsLast && channels > 1) FillInterleavedAny(image, target);
            else FillPlanar(image, target);
            classes[i] = this.labels[samples[i]];
        }
    }

    private void FillPlanar(ReadOnlySpan<byte> image, Span<float> target)
    {
        var plane = height * width;
        for (var c = 0; c < channels; c++)
        {
            ref var values = ref table[256 * c];
            var source = image.Slice(c * plane, plane);
            var output = target.Slice(c * plane, plane);
            for (var p = 0; p < output.Length; p++) output[p] = Unsafe.Add(ref values, source[p]);
        }
    }

    /// <summary>Three channels: the loop that runs beside training for every image, without bounds checks.</summary>
    private unsafe void FillInterleaved(ReadOnlySpan<byte> image, Span<float> target)
    {
        var plane = height * width;
        fixed (byte* source = image)
        fixed (float* output = target, values = table)
        {
            byte* red = source, green = source + plane, blue = source + (2 * plane);
            float* reds = values, greens = values + 256, blues = values + 512;
            var write = output;
            for (var p = 0; p < plane; p++, write += 3)
            {
                write[0] = reds[red[p]];
                write[1] = greens[green[p]];
                write[2] = blues[blue[p]];
            }
        }
    }

    private void FillInterleavedAny(ReadOnlySpan<byte> image, Span<float> target)
    {
        var plane = height * width;
        for (var c = 0; c < channels; c++)
        {
            for (var p = 0; p < plane; p++) target[(p * channels) + c] = table[(256 * c) + image[(c * plane) + p]];
        }
    }
}
