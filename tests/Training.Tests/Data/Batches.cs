using System.Runtime.InteropServices;
using Distributed.Core.Samples;
using Distributed.Training.Data;

namespace Distributed.Training.Tests.Data;

/// <summary>Reads a split into managed arrays.</summary>
internal static class Batches
{
    public static (float[] Inputs, long[] Labels) Floats(
        IDataSplit split, int[] samples, ImageLayout layout = ImageLayout.ChannelsFirst, CounterRandom? augment = null)
    {
        var (inputs, labels) = Raw(split, samples, layout, augment);
        return (MemoryMarshal.Cast<byte, float>(inputs).ToArray(), MemoryMarshal.Cast<byte, long>(labels).ToArray());
    }

    public static (byte[] Inputs, byte[] Labels) Raw(
        IDataSplit split, int[] samples, ImageLayout layout = ImageLayout.ChannelsFirst, CounterRandom? augment = null)
    {
        var inputs = new byte[samples.Length * split.Input.Bytes];
        var labels = new byte[samples.Length * split.Label.Bytes];
        split.Fill(samples, inputs, labels, layout, augment);
        return (inputs, labels);
    }

    public static long[] Labels(IDataSplit split) => Floats(split, [.. Enumerable.Range(0, split.Count)]).Labels;
}
