using System.Runtime.InteropServices;
using Distributed.Core.Samples;

namespace Distributed.Training.Data;

/// <summary>Samples that lie ready in memory, row after row.</summary>
internal sealed class TensorSplit(HostMemory inputs, HostMemory labels, int count, SampleFormat input, SampleFormat label)
    : IDataSplit, IDisposable
{
    private readonly int inputBytes = checked((int)input.Bytes);
    private readonly int labelBytes = checked((int)label.Bytes);

    public int Count => count;

    public SampleFormat Input => input;

    public SampleFormat Label => label;

    public bool IsImage { get; } = input is { Kind: ElementKind.Float32, Shape.Count: 3 };

    public void Dispose()
    {
        inputs.Dispose();
        labels.Dispose();
    }

    public void Fill(ReadOnlySpan<int> samples, Span<byte> inputs, Span<byte> labels, ImageLayout layout, CounterRandom? augment)
    {
        for (var i = 0; i < samples.Length; i++)
        {
            var row = InputOf(samples[i]);
            var target = inputs.Slice(i * inputBytes, inputBytes);
            if (IsImage && layout == ImageLayout.ChannelsLast)
                Interleave(MemoryMarshal.Cast<byte, float>(row), MemoryMarshal.Cast<byte, float>(target));
            else row.CopyTo(target);
            LabelOf(samples[i]).CopyTo(labels[(i * labelBytes)..]);
        }
    }

    private Span<byte> InputOf(int sample) => inputs.Slice((long)sample * inputBytes, inputBytes);

    private Span<byte> LabelOf(int sample) => labels.Slice((long)sample * labelBytes, labelBytes);

    private void Interleave(ReadOnlySpan<float> planes, Span<float> target)
    {
        var channels = (int)input.Shape[0];
        var plane = planes.Length / Math.Max(channels, 1);
        for (var c = 0; c < channels; c++)
        {
            var source = planes.Slice(c * plane, plane);
            for (var p = 0; p < source.Length; p++) target[(p * channels) + c] = source[p];
        }
    }
}
