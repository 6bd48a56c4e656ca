using System.Runtime.InteropServices;
using Distributed.Core.Samples;
using Distributed.Core.Values;

namespace Distributed.Training.Data;

/// <summary>Texts as token ids, padded at the front so that the last position is the last token.</summary>
/// <param name="texts">The ids of each text, at most <paramref name="length"/>.</param>
/// <param name="labels">0 or 1.</param>
/// <param name="padding">Id of the empty positions.</param>
internal sealed class TokenSplit(int[][] texts, byte[] labels, int length, int padding) : IDataSplit
{
    public int Count => texts.Length;

    public SampleFormat Input { get; } = new(new EquatableList<long>([length]), ElementKind.Int64);

    public SampleFormat Label { get; } = SampleFormat.Scalar(ElementKind.Float32);

    public bool IsImage => false;

    public void Fill(ReadOnlySpan<int> samples, Span<byte> inputs, Span<byte> labelBytes, ImageLayout layout, CounterRandom? augment)
    {
        var output = MemoryMarshal.Cast<byte, long>(inputs);
        var outputLabels = MemoryMarshal.Cast<byte, float>(labelBytes);
        for (var i = 0; i < samples.Length; i++)
        {
            var text = texts[samples[i]];
            var row = output.Slice(i * length, length);
            row[..(length - text.Length)].Fill(padding);
            for (var t = 0; t < text.Length; t++) row[length - text.Length + t] = text[t];
            outputLabels[i] = labels[samples[i]];
        }
    }
}
