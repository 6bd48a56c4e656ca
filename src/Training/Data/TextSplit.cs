using System.Runtime.InteropServices;
using Distributed.Core.Samples;
using Distributed.Core.Values;

namespace Distributed.Training.Data;

/// <summary>Stretches of a text: the input is all of a stretch but its last byte, the label all but its first.</summary>
/// <param name="text">Shared by the splits; disposed with the first of them.</param>
/// <param name="first">Number of the first sample in the text.</param>
/// <param name="length">Tokens of a sample.</param>
internal sealed class TextSplit(HostMemory text, int first, int count, int length) : IDataSplit, IDisposable
{
    public int Count => count;

    public SampleFormat Input { get; } = new(new EquatableList<long>([length]), ElementKind.Int64);

    public SampleFormat Label => Input;

    public bool IsImage => false;

    public void Dispose() => text.Dispose();

    public void Fill(ReadOnlySpan<int> samples, Span<byte> inputs, Span<byte> labels, ImageLayout layout, CounterRandom? augment)
    {
        var tokens = MemoryMarshal.Cast<byte, long>(inputs);
        var targets = MemoryMarshal.Cast<byte, long>(labels);
        for (var i = 0; i < samples.Length; i++)
        {
            var bytes = text.Slice(((long)first + samples[i]) * (length + 1L), length + 1);
            Widen(bytes[..^1], tokens[(i * length)..]);
            Widen(bytes[1..], targets[(i * length)..]);
        }
    }

    private static void Widen(ReadOnlySpan<byte> bytes, Span<long> numbers)
    {
        for (var i = 0; i < bytes.Length; i++) numbers[i] = bytes[i];
    }
}
